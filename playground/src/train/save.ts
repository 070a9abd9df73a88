import { downloadZip } from "client-zip";
import type { FolderFiles } from "./protocol.ts";

interface Directory {
  getFileHandle(name: string, options: { create: true }): Promise<{ createWritable(): Promise<WritableStream> }>;
}

type Picker = (options: { id: string; mode: "readwrite" }) => Promise<Directory>;

/** Asks for a folder, where the browser can. */
const picker = (globalThis as { showDirectoryPicker?: Picker }).showDirectoryPicker;

export const canSaveToFolder = picker !== undefined;

/** Writes the files into a folder that the reader chooses. False if none was chosen. */
export async function saveToFolder(files: () => Promise<FolderFiles>): Promise<boolean> {
  let folder: Directory;
  try {
    folder = await picker!({ id: "gpt2-ts-model", mode: "readwrite" }); // at once: it needs the click
  } catch (error) {
    if ((error as Error).name === "AbortError") return false;
    throw error;
  }
  for (const [name, content] of Object.entries(await files())) {
    const file = await folder.getFileHandle(name, { create: true });
    await content.stream().pipeTo(await file.createWritable()); // which closes the file
  }
  return true;
}

/** Hands the files over as a download, in a folder of this name. */
export async function saveAsZip(files: FolderFiles, name: string): Promise<void> {
  const entries = Object.entries(files).map(([file, input]) => ({
    name: `${name}/${file}`,
    input,
    lastModified: new Date(),
  }));
  const url = URL.createObjectURL(await downloadZip(entries).blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = `${name}.zip`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // some browsers read it later
}
