import { ModelFormatError } from "../../errors.ts";
import type { TorchContents } from "./contents.ts";
import type { FileBytes } from "./file-bytes.ts";
import { type TorchObject, type TorchStorage, torchPolicy } from "./objects.ts";
import { readPickle } from "./pickle/index.ts";
import { MAX_PICKLE_BYTES, readingPickle } from "./read-pickle.ts";
import { checkEntry, readZipDirectory, type ZipEntry } from "./zip.ts";

/**
 * Reads what `torch.save` has written since 1.6: a zip archive with, below one folder, a pickle `data.pkl`, a file `data/KEY` for
 * each storage, and `byteorder` ("little").
 */
export async function readArchive(file: FileBytes): Promise<TorchContents> {
  const fail = (message: string) => new ModelFormatError(file.path, message);
  const entries = await readZipDirectory(file);
  const pickles = [...entries.keys()].filter((name) => /^[^/]*\/data\.pkl$/.test(name));
  const [pickleName] = pickles;
  if (pickleName === undefined || pickles.length > 1) {
    throw fail(`a zip archive with ${pickles.length === 0 ? "no" : "more than one"} data.pkl: torch.save writes one`);
  }
  const folder = pickleName.slice(0, pickleName.length - "data.pkl".length);
  if (entries.has(`${folder}constants.pkl`)) {
    throw fail("a TorchScript program (torch.jit.save): save the model's state_dict() with torch.save");
  }
  const readEntry = async (entry: ZipEntry, limit: number): Promise<Uint8Array> => {
    if (entry.size > limit) throw fail(`entry ${entry.name} has ${entry.size} bytes; expected at most ${limit}`);
    await checkEntry(file, entry);
    return file.read(entry.offset, entry.size);
  };
  const order = entries.get(`${folder}byteorder`);
  if (order !== undefined) {
    const text = new TextDecoder().decode(await readEntry(order, 16));
    if (text !== "little") throw fail(`its byte order is ${JSON.stringify(text)}; only little-endian files are read`);
  }
  const storages = new Map<string, TorchStorage>();
  const bytes = await readEntry(entries.get(pickleName)!, MAX_PICKLE_BYTES);
  const root = readingPickle(file, pickleName, () => readPickle<TorchObject>(bytes, torchPolicy(storages)));

  const entryOf = ({ key, byteLength }: TorchStorage): ZipEntry => {
    const entry = entries.get(`${folder}data/${key}`);
    if (entry === undefined) throw fail(`the storage data/${key} is missing`);
    if (entry.size !== byteLength)
      throw fail(`the storage data/${key} has ${entry.size} bytes; expected ${byteLength}`);
    return entry;
  };
  const offsets = new Map<TorchStorage, number>();
  for (const storage of storages.values()) offsets.set(storage, entryOf(storage).offset);
  return { root, offsets, check: (storage) => checkEntry(file, entryOf(storage)) };
}
