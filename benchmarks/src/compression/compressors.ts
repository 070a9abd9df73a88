/** The compressors that a text goes through besides ours, each at its best. */
import { spawnSync } from "node:child_process";
import zlib from "node:zlib";

export interface Compressor {
  readonly name: string;
  /** Undefined where it is not to be had here. */
  compress(bytes: Uint8Array): Uint8Array | undefined;
}

const MAX_BUFFER = 2 ** 28;

export const COMPRESSORS: readonly Compressor[] = [
  { name: "gzip -9", compress: (bytes) => zlib.gzipSync(bytes, { level: 9 }) },
  { name: "zstd -19", compress: zstd },
  { name: "xz -9e", compress: xz },
  {
    name: "brotli -q 11",
    compress: (bytes) =>
      zlib.brotliCompressSync(bytes, {
        params: {
          [zlib.constants.BROTLI_PARAM_MODE]: zlib.constants.BROTLI_MODE_TEXT,
          [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      }),
  },
];

/** Node's own from 22.15 on, which the types of Node 20 do not know. */
interface Zstd {
  readonly zstdCompressSync?: (bytes: Uint8Array, options: { readonly params: Record<number, number> }) => Uint8Array;
  readonly constants: { readonly ZSTD_c_compressionLevel?: number };
}

function zstd(bytes: Uint8Array): Uint8Array | undefined {
  const { zstdCompressSync, constants } = zlib as unknown as Zstd;
  const { ZSTD_c_compressionLevel: level } = constants;
  return level === undefined ? undefined : zstdCompressSync?.(bytes, { params: { [level]: 19 } });
}

/** The system's program. */
function xz(bytes: Uint8Array): Uint8Array | undefined {
  const { status, stdout } = spawnSync("xz", ["-9e", "--stdout"], { input: bytes, maxBuffer: MAX_BUFFER });
  return status === 0 ? stdout : undefined;
}
