import type { Source } from "safetensors-ts";
import { ModelFormatError } from "../../errors.ts";
import { foreignContent } from "../source/foreign-content.ts";
import { gather, isContiguous, spanOf } from "../strided.ts";
import type { LazyTensor } from "../tensor-file.ts";
import { readArchive } from "./archive.ts";
import type { TorchContents } from "./contents.ts";
import { type FileBytes, openBytes, viewOf } from "./file-bytes.ts";
import { readLegacy } from "./legacy.ts";
import type { TorchStorage, TorchTensor, TorchValue } from "./objects.ts";
import { findStateDict } from "./state-dict.ts";
import { LOCAL } from "./zip.ts";

/** An open file of `torch.save`, and the state dict in it. */
export interface TorchFile {
  /** Read from the file when they are asked for. */
  readonly tensors: readonly LazyTensor[];
  /** The key that the state dict was found under, if it is not all of the file. */
  readonly key: string | undefined;
  /** The whole object that was saved. */
  readonly root: TorchValue;
  close(): Promise<void>;
}

/**
 * The bytes of all tensors for each of the file. More than 1 where tensors share a storage, as tied embeddings do; a small file
 * could otherwise name one storage so often that no disk holds them.
 */
const MOST_BYTES_PER_BYTE = 8;
/** What pickle protocols from 2 begin with. */
const PROTO = 0x80;

/**
 * Opens a file that `torch.save` wrote, in either of its formats, and finds the state dict in it. Its pickle is read with a list of
 * what a state dict needs; nothing in it is ever run. Storages are checked against their CRC-32, where there is one.
 *
 * @throws ModelFormatError for a file that is none, is damaged, or holds something else
 */
export async function openTorchFile(source: Source, path: string, signal: AbortSignal | undefined): Promise<TorchFile> {
  const file = await openBytes(source, path, signal);
  try {
    const { root, offsets, check } = await readContents(file);
    const { tensors, key } = findStateDict(root, path);
    const bytes = [...tensors.values()].reduce((total, { size, storage }) => total + size * storage.elementBytes, 0);
    if (bytes > MOST_BYTES_PER_BYTE * file.size) {
      throw new ModelFormatError(path, `its tensors take ${bytes} bytes, of a file of ${file.size}`);
    }
    for (const storage of new Set(Array.from(tensors.values(), (tensor) => tensor.storage))) await check(storage);
    return { tensors: lazyTensors(file, tensors, offsets), key, root, close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readContents(file: FileBytes): Promise<TorchContents> {
  const beginning = await file.read(0, Math.min(file.size, BEGINNING_BYTES));
  if (beginning.length >= 4 && viewOf(beginning).getUint32(0, true) === LOCAL.signature) return readArchive(file);
  if (beginning[0] === PROTO) return readLegacy(file);
  const foreign = file.size === 0 ? "the file is empty" : foreignContent(new TextDecoder().decode(beginning));
  throw new ModelFormatError(file.path, foreign ?? "neither of PyTorch's formats: expected what torch.save writes");
}

const BEGINNING_BYTES = 512;

function lazyTensors(
  file: FileBytes,
  tensors: ReadonlyMap<string, TorchTensor>,
  offsets: ReadonlyMap<TorchStorage, number>,
): LazyTensor[] {
  /** Of the tensor that was read last, if its elements do not lie in order: all from its first to its last. */
  let span: { readonly of: TorchTensor; readonly bytes: Uint8Array<ArrayBuffer> } | undefined;
  return Array.from(tensors, ([name, tensor]) => {
    const { dtype, elementBytes } = tensor.storage;
    const begin = offsets.get(tensor.storage)! + tensor.offset * elementBytes;
    const read = async (target: Uint8Array, start: number): Promise<void> => {
      if (isContiguous(tensor)) return file.readInto(begin + start, target);
      if (span?.of !== tensor) span = { of: tensor, bytes: await file.read(begin, spanOf(tensor) * elementBytes) };
      return gather(span.bytes, { ...tensor, elementBytes }, target, start);
    };
    return { name, dtype, shape: tensor.shape, read };
  });
}
