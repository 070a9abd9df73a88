import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { HubError } from "./error.ts";

/**
 * What a file's bytes must hash to. Large files carry the SHA-256 of Git LFS, small ones the SHA-1 of a Git blob
 * (of `blob <size>\0` and the bytes); a plain file server may offer neither.
 */
export interface Digest {
  readonly kind: "sha256" | "git-sha1" | "none";
  readonly hex: string;
}

/** The digest an ETag of the hub stands for, recognized by its length. */
export function digestOfEtag(etag: string): Digest {
  if (/^[0-9a-f]{64}$/.test(etag)) return { kind: "sha256", hex: etag };
  if (/^[0-9a-f]{40}$/.test(etag)) return { kind: "git-sha1", hex: etag };
  return { kind: "none", hex: "" };
}

const READ_SIZE = 2 ** 20;

/**
 * Reads back what lies on the disk and compares it with what the repository promised.
 *
 * @throws HubError `checksum`; `signal.reason` when aborted
 */
export async function verifyFile(
  path: string,
  file: string,
  size: number,
  digest: Digest,
  signal?: AbortSignal,
): Promise<void> {
  if (digest.kind === "none") return;
  const hash = createHash(digest.kind === "sha256" ? "sha256" : "sha1");
  if (digest.kind === "git-sha1") hash.update(`blob ${size}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: READ_SIZE })) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  const actual = hash.digest("hex");
  if (actual !== digest.hex) {
    const message = `${file} arrived damaged: its ${digest.kind} is ${actual}, expected ${digest.hex}`;
    throw new HubError("checksum", message, { file, hint: "it was removed; download it again" });
  }
}
