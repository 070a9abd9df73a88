import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type Digest, expectDigest, gitBlobHead } from "./digest.ts";

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
  if (digest.kind === "git-sha1") hash.update(gitBlobHead(size));
  for await (const chunk of createReadStream(path, { highWaterMark: READ_SIZE })) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  expectDigest(file, digest, hash.digest("hex"));
}
