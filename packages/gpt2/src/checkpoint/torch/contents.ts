import type { TorchStorage, TorchValue } from "./objects.ts";

/** What both formats of `torch.save` hold. */
export interface TorchContents {
  /** The object that was saved. */
  readonly root: TorchValue;
  /** Where each storage begins in the file; it lies within it. */
  readonly offsets: ReadonlyMap<TorchStorage, number>;
  /** Throws {@link ModelFormatError} if the bytes of a storage are damaged, as far as the format tells. */
  check(storage: TorchStorage): Promise<void>;
}
