/** A file and where it lay in what was chosen. */
interface Found {
  readonly path: string;
  readonly file: File;
}

/** A folder's files by name, and what it is called. */
export interface Folder {
  readonly title: string;
  readonly files: Readonly<Record<string, Blob>>;
}

/** Of what a file picker gives. */
export function folderOfPicked(files: Iterable<File>): Folder {
  return modelFolder(Array.from(files, (file) => ({ path: file.webkitRelativePath || file.name, file })));
}

/** Of what was dropped: folders are looked into. */
export async function folderOfDropped(transfer: DataTransfer): Promise<Folder> {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return folderOfPicked(transfer.files);
  const found: Found[] = [];
  for (const entry of entries) await collect(entry, found);
  return modelFolder(found);
}

async function collect(entry: FileSystemEntry, found: Found[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({ path: entry.fullPath.replace(/^\//, ""), file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const each of some) await collect(each, found);
  }
}

/**
 * The folder that has the model's config.
 *
 * @throws Error if there is none
 */
export function modelFolder(found: readonly Found[]): Folder {
  const configs = found.map(({ path }) => path).filter((path) => /(^|\/)config\.json$/.test(path));
  const [config] = configs.sort((a, b) => a.split("/").length - b.split("/").length);
  if (config === undefined) {
    throw new Error(
      "There is no config.json among these files. A model's folder has config.json, model.safetensors, and vocab.json with merges.txt or tokenizer.json",
    );
  }
  const folder = config.slice(0, -"config.json".length);
  const inside = found.filter(({ path }) => path.startsWith(folder) && !path.slice(folder.length).includes("/"));
  return {
    title: folder.split("/").at(-2) ?? "Your files",
    files: Object.fromEntries(inside.map(({ path, file }) => [path.slice(folder.length), file])),
  };
}
