import { crc32 } from "node:zlib";
import { ModelFormatError } from "../../errors.ts";
import { type FileBytes, uint64At, viewOf } from "./file-bytes.ts";

// The zip format, as far as torch.save uses it: stored entries, with or without the fields of 64 bits.
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT has the records by these names.

/** An entry, whose bytes lie in the file as they are. */
export interface ZipEntry {
  readonly name: string;
  /** Where its bytes begin in the file. */
  readonly offset: number;
  readonly size: number;
  readonly isCompressed: boolean;
  /** 0 where it was not computed (`torch.serialization.set_crc32_options(False)`). */
  readonly crc32: number;
}

const END = { signature: 0x06054b50, bytes: 22, maxComment: 0xffff };
const END64 = { signature: 0x06064b50, bytes: 56 };
const LOCATOR64 = { signature: 0x07064b50, bytes: 20 };
const CENTRAL = { signature: 0x02014b50, bytes: 46 };
export const LOCAL = { signature: 0x04034b50, bytes: 30 };

/** What a field of 32 bits holds when the value is in the extra field of 64 bits. */
const IN_EXTRA = 0xffffffff;
const EXTRA64 = 1;
const ENCRYPTED = 1;
const STORED = 0;

/** A training checkpoint of GPT-2 XL has about 1800 entries. */
const MAX_ENTRIES = 2 ** 16;
const MAX_DIRECTORY_BYTES = 2 ** 24;

/** The entries of a zip archive by name. Each lies within the file, and none over another. */
export async function readZipDirectory(file: FileBytes): Promise<Map<string, ZipEntry>> {
  const { start, bytes, count } = await findDirectory(file);
  if (bytes > MAX_DIRECTORY_BYTES || count > MAX_ENTRIES) {
    throw fail(file, `its directory lists ${count} entries in ${bytes} bytes: torch.save writes no such file`);
  }
  const listed = directoryEntries(file, await file.read(start, bytes));
  if (listed.length !== count) throw fail(file, `its directory lists ${listed.length} entries, and says ${count}`);

  listed.sort((a, b) => a.headerAt - b.headerAt);
  const entries = new Map<string, ZipEntry>();
  for (const [i, { headerAt, ...entry }] of listed.entries()) {
    const { name, size } = entry;
    const end = listed[i + 1]?.headerAt ?? start;
    const offset = await dataOffset(file, name, headerAt, end);
    if (offset + size > end) throw fail(file, `entry ${show(name)} of ${size} bytes runs into what follows it`);
    if (entries.has(name)) throw fail(file, `it has two entries ${show(name)}`);
    entries.set(name, { ...entry, offset });
  }
  return entries;
}

/** Throws {@link ModelFormatError} if the entry's bytes are not those that were written, or are compressed. */
export async function checkEntry(file: FileBytes, entry: ZipEntry): Promise<void> {
  if (entry.isCompressed) throw fail(file, `entry ${show(entry.name)} is compressed, which torch.save never does`);
  if (entry.crc32 === 0) return;
  const buffer = new Uint8Array(Math.min(entry.size, CHECKED_AT_ONCE));
  let found = 0;
  for (let done = 0; done < entry.size; ) {
    const piece = buffer.subarray(0, entry.size - done);
    await file.readInto(entry.offset + done, piece);
    found = crc32(piece, found);
    done += piece.length;
  }
  if (found !== entry.crc32) throw fail(file, `entry ${show(entry.name)} is damaged: its CRC-32 is wrong`);
}

const CHECKED_AT_ONCE = 4 * 2 ** 20;

/** Where the central directory lies, and how many entries it has. */
async function findDirectory(file: FileBytes): Promise<{ start: number; bytes: number; count: number }> {
  const tailAt = Math.max(0, file.size - END.bytes - END.maxComment - LOCATOR64.bytes);
  const tail = viewOf(await file.read(tailAt, file.size - tailAt));
  let at = tail.byteLength - END.bytes;
  // The comment that follows ends where the file ends.
  while (
    at >= 0 &&
    !(signatureAt(tail, at) === END.signature && at + END.bytes + tail.getUint16(at + 20, true) === tail.byteLength)
  )
    at--;
  if (at < 0) throw fail(file, "it begins as a zip archive, but has no directory at its end: is it cut off?");

  let end = tailAt + at;
  let [count, bytes, start] = [
    tail.getUint16(at + 10, true),
    tail.getUint32(at + 12, true),
    tail.getUint32(at + 16, true),
  ];
  const locatorAt = at - LOCATOR64.bytes;
  if (locatorAt >= 0 && signatureAt(tail, locatorAt) === LOCATOR64.signature) {
    end = uint64At(tail, locatorAt + 8);
    if (end > tailAt + locatorAt - END64.bytes) throw fail(file, "the end of its directory lies outside of it");
    const record = viewOf(await file.read(end, END64.bytes));
    if (signatureAt(record, 0) !== END64.signature)
      throw fail(file, "the end of its directory is not where it should be");
    [count, bytes, start] = [uint64At(record, 32), uint64At(record, 40), uint64At(record, 48)];
  }
  if (start + bytes !== end) throw fail(file, "its directory does not end where it should");
  return { start, bytes, count };
}

interface ListedEntry extends Omit<ZipEntry, "offset"> {
  readonly headerAt: number;
}

function directoryEntries(file: FileBytes, bytes: Uint8Array): ListedEntry[] {
  const view = viewOf(bytes);
  const entries: ListedEntry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const left = bytes.length - at;
    if (left < CENTRAL.bytes || signatureAt(view, at) !== CENTRAL.signature)
      throw fail(file, "its directory is broken");
    const nameBytes = view.getUint16(at + 28, true);
    const extraBytes = view.getUint16(at + 30, true);
    const length = CENTRAL.bytes + nameBytes + extraBytes + view.getUint16(at + 32, true);
    if (left < length) throw fail(file, "its directory is cut off");
    const name = nameIn(file, bytes.subarray(at + CENTRAL.bytes, at + CENTRAL.bytes + nameBytes));
    if (view.getUint16(at + 8, true) & ENCRYPTED) throw fail(file, `entry ${show(name)} is encrypted`);
    const extraAt = at + CENTRAL.bytes + nameBytes;
    const extra = extraFields64(viewOf(bytes.subarray(extraAt, extraAt + extraBytes)));
    const [size, packed, headerAt] = [24, 20, 42].map((field) => {
      const value = view.getUint32(at + field, true);
      return value === IN_EXTRA ? (extra.shift() ?? value) : value;
    }) as [number, number, number];
    const isCompressed = view.getUint16(at + 10, true) !== STORED;
    if (!isCompressed && packed !== size) throw fail(file, `entry ${show(name)} has two sizes, ${packed} and ${size}`);
    entries.push({ name, headerAt, size: packed, isCompressed, crc32: view.getUint32(at + 16, true) });
    at += length;
  }
  return entries;
}

/** The numbers of 64 bits that do not fit into the entry: size, packed size, offset, as far as they are needed. */
function extraFields64(extra: DataView): number[] {
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const bytes = Math.min(extra.getUint16(at + 2, true), extra.byteLength - at - 4);
    if (extra.getUint16(at, true) === EXTRA64) {
      return Array.from({ length: Math.floor(bytes / 8) }, (_, i) => uint64At(extra, at + 4 + 8 * i));
    }
    at += 4 + bytes;
  }
  return [];
}

/** Where an entry's bytes begin: behind its header, which is followed by its name and padding. */
async function dataOffset(file: FileBytes, name: string, headerAt: number, end: number): Promise<number> {
  if (headerAt + LOCAL.bytes > end)
    throw fail(file, `entry ${show(name)} begins outside of the file, or in another entry`);
  const header = viewOf(await file.read(headerAt, LOCAL.bytes));
  if (signatureAt(header, 0) !== LOCAL.signature) throw fail(file, `entry ${show(name)} is not where it should be`);
  const nameBytes = header.getUint16(26, true);
  const offset = headerAt + LOCAL.bytes + nameBytes + header.getUint16(28, true);
  if (offset > end) throw fail(file, `entry ${show(name)} runs into what follows it`);
  const there = nameIn(file, await file.read(headerAt + LOCAL.bytes, nameBytes));
  if (there !== name) throw fail(file, `entry ${show(name)} is ${show(there)} at its place`);
  return offset;
}

function signatureAt(view: DataView, at: number): number {
  return view.getUint32(at, true);
}

function nameIn(file: FileBytes, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw fail(file, "an entry's name is not UTF-8");
  }
}

function show(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}

function fail(file: FileBytes, message: string): ModelFormatError {
  return new ModelFormatError(file.path, message);
}
