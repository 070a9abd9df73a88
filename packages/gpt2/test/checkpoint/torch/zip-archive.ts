import { crc32 } from "node:zlib";

/** What is written otherwise than torch.save does. */
export interface ZipParts {
  readonly zip64?: boolean;
  readonly comment?: string;
  /** An entry whose first byte is changed after its checksum was computed. */
  readonly spoil?: string;
  readonly method?: number;
  readonly flags?: number;
  /** Whether the first entry is said to be as long as the file. */
  readonly overlap?: boolean;
  /** Whether the first entry has another name in its own header. */
  readonly otherName?: boolean;
  /** Whether the first entry comes twice. */
  readonly twice?: boolean;
  /** Entries that the end of the directory counts. */
  readonly count?: number;
}

/** A zip archive of stored entries. */
export function zipArchive(
  given: readonly (readonly [name: string, bytes: Uint8Array])[],
  { zip64 = false, comment = "", spoil, method = 0, flags = 0, overlap, otherName, twice, count }: ZipParts = {},
): Uint8Array<ArrayBuffer> {
  const entries = twice ? [...given, given[0]!] : given;
  const pieces: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  const write = (piece: Buffer): void => {
    pieces.push(piece);
    at += piece.length;
  };
  for (const [i, [name, bytes]] of entries.entries()) {
    const content = Buffer.from(bytes);
    const crc = crc32(content);
    if (name === spoil) content[0]! ^= 1;
    const headerAt = at;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    write(Buffer.concat([local, Buffer.from(otherName && i === 0 ? name.replace(/^./, "X") : name)]));
    write(content);
    const size = content.length + (overlap && i === 0 ? 50 : 0);
    const extra = Buffer.alloc(zip64 ? 28 : 0);
    if (zip64) {
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(24, 2);
      for (const [field, value] of [size, size, headerAt].entries())
        extra.writeBigUInt64LE(BigInt(value), 4 + 8 * field);
    }
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(crc, 16);
    for (const [field, value] of [
      [20, size],
      [24, size],
      [42, headerAt],
    ] as const) {
      central.writeUInt32LE(zip64 ? 0xffffffff : value, field);
    }
    central.writeUInt16LE(name.length, 28);
    central.writeUInt16LE(extra.length, 30);
    directory.push(central, Buffer.from(name), extra);
  }
  const start = at;
  write(Buffer.concat(directory));
  const bytes = at - start;
  if (zip64) {
    const end64 = Buffer.alloc(56 + 20);
    end64.writeUInt32LE(0x06064b50, 0);
    for (const [field, value] of [
      [24, count ?? entries.length],
      [32, count ?? entries.length],
      [40, bytes],
      [48, start],
    ] as const) {
      end64.writeBigUInt64LE(BigInt(value), field);
    }
    end64.writeUInt32LE(0x07064b50, 56);
    end64.writeBigUInt64LE(BigInt(at), 56 + 8);
    write(end64);
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(zip64 ? 0xffff : (count ?? entries.length), 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : bytes, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : start, 16);
  end.writeUInt16LE(comment.length, 20);
  write(Buffer.concat([end, Buffer.from(comment)]));
  return new Uint8Array(Buffer.concat(pieces));
}
