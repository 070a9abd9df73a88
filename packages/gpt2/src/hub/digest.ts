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

/** What Git hashes before the bytes of a file. */
export function gitBlobHead(size: number): string {
  return `blob ${size}\0`;
}

/** Throws {@link HubError} `checksum` unless the hash is the promised one. */
export function expectDigest(file: string, { kind, hex }: Digest, actual: string): void {
  if (actual === hex) return;
  const message = `${file} arrived damaged: its ${kind} is ${actual}, expected ${hex}`;
  throw new HubError("checksum", message, { file, hint: "it was removed; download it again" });
}
