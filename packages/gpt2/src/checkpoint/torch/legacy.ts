import { ModelFormatError } from "../../errors.ts";
import type { TorchContents } from "./contents.ts";
import { type FileBytes, uint64At, viewOf } from "./file-bytes.ts";
import { type TorchObject, type TorchStorage, type TorchValue, torchPolicy } from "./objects.ts";
import { PickleInput } from "./pickle/input.ts";
import { readNextPickle } from "./pickle/machine.ts";
import { MAX_PICKLE_BYTES, readingPickle } from "./read-pickle.ts";

const MAGIC_NUMBER = 0x1950a86a20f9469cfc6cn;
const PROTOCOL_VERSION = 1001;
/** Pickles are read from as many bytes at first: enough for any state dict of GPT-2 alone. */
const FIRST_BYTES = 2 ** 20;

/**
 * Reads what `torch.save` wrote before 1.6: one after the other the pickles of a magic number, the protocol's version, facts about
 * the machine, the object, and the list of its storages' keys; then each storage, the number of its elements before it.
 */
export async function readLegacy(file: FileBytes): Promise<TorchContents> {
  const { root, keys, storages, end } = await readPickles(file);
  const fail = (message: string) => new ModelFormatError(file.path, message);
  const offsets = new Map<TorchStorage, number>();
  let at = end;
  for (const key of keys) {
    const storage = storages.get(key);
    if (storage === undefined) throw fail(`it has a storage ${JSON.stringify(key.slice(0, 60))} that no tensor uses`);
    if (offsets.has(storage)) throw fail(`it has the storage ${key} twice`);
    const begin = at + SIZE_BYTES;
    if (begin > file.size) throw fail(`it is cut off before the storage ${key}`);
    const size = uint64At(viewOf(await file.read(at, SIZE_BYTES)), 0);
    if (size !== storage.size)
      throw fail(`the storage ${key} has ${size} elements; its tensors expect ${storage.size}`);
    at = begin + storage.byteLength;
    if (at > file.size) throw fail(`it is cut off in the storage ${key}`);
    offsets.set(storage, begin);
  }
  for (const [key, storage] of storages) if (!offsets.has(storage)) throw fail(`the storage ${key} is missing`);
  if (at !== file.size) throw fail(`${file.size - at} bytes follow its last storage`);
  return { root, offsets, check: async () => {} };
}

/** Of the number of a storage's elements. */
const SIZE_BYTES = 8;

interface Pickles {
  readonly root: TorchValue;
  readonly keys: readonly string[];
  readonly storages: ReadonlyMap<string, TorchStorage>;
  /** Where the storages begin. */
  readonly end: number;
}

/** The pickles do not say how long they are: reads the beginning of the file, and more of it if that is not enough. */
async function readPickles(file: FileBytes): Promise<Pickles> {
  for (const most of [FIRST_BYTES, MAX_PICKLE_BYTES]) {
    const input = new PickleInput(await file.read(0, Math.min(most, file.size)));
    try {
      return readingPickle(file, "its pickles", () => parsePickles(file, input));
    } catch (error) {
      const mayGoOn = input.isExhausted && most < MAX_PICKLE_BYTES && most < file.size;
      if (!mayGoOn) throw error;
    }
  }
  throw new ModelFormatError(file.path, `its pickles take more than ${MAX_PICKLE_BYTES} bytes`);
}

function parsePickles(file: FileBytes, input: PickleInput): Pickles {
  const storages = new Map<string, TorchStorage>();
  const policy = torchPolicy(storages);
  const next = (): TorchValue => readNextPickle<TorchObject>(input, policy);
  const fail = (message: string) => new ModelFormatError(file.path, message);
  if (next() !== MAGIC_NUMBER) throw fail("a pickle, but not of torch.save: it has another magic number");
  const version = next();
  if (version !== PROTOCOL_VERSION)
    throw fail(`version ${String(version)} of torch.save's format; known is ${PROTOCOL_VERSION}`);
  const machine = next();
  if (!(machine instanceof Map && machine.get("little_endian") === true)) {
    throw fail("it was written on a big-endian machine; only little-endian files are read");
  }
  const root = next();
  const keys = next();
  if (!(Array.isArray(keys) && keys.every((key): key is string => typeof key === "string"))) {
    throw fail("the list of its storages is not a list of strings");
  }
  return { root, keys, storages, end: input.position };
}
