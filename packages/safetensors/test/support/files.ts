import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "safetensors-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A file with this header and this data, whether or not they fit together. */
export function fileOf(header: string | Uint8Array, data: Uint8Array = new Uint8Array(0)): Uint8Array<ArrayBuffer> {
  const bytes = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + bytes.byteLength + data.byteLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(bytes.byteLength), true);
  file.set(bytes, 8);
  file.set(data, 8 + bytes.byteLength);
  return file;
}

export function toHex(data: ArrayBufferView): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex");
}
