import { bitsPerElement, type Dtype, type FileHandleLike } from "safetensors-ts";
import { elementsOf } from "./tensors.ts";

/** A tensor whose bytes are made when they are asked for. */
export interface LazyTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Fills `target` with the tensor's bytes from byte `start` on. */
  read(target: Uint8Array, start: number): Promise<void>;
}

/**
 * Tensors from elsewhere as the safetensors file that they would be, for `open` of safetensors-ts to read: so that whatever reads
 * safetensors reads them too, and nothing is copied.
 */
export function tensorFile(tensors: readonly LazyTensor[]): FileHandleLike {
  const header: Record<string, unknown> = Object.create(null);
  const parts: { readonly begin: number; readonly end: number; read: LazyTensor["read"] }[] = [];
  let size = 0;
  for (const { name, dtype, shape, read } of tensors) {
    const [begin, end] = [size, size + (elementsOf(shape) * bitsPerElement(dtype)) / 8];
    header[name] = { dtype, shape, data_offsets: [begin, end] };
    if (end > begin) parts.push({ begin, end, read });
    size = end;
  }
  const head = headBytes(JSON.stringify(header));
  const read = async (target: Uint8Array, position: number): Promise<number> => {
    if (position < head.length) {
      const piece = head.subarray(position, position + target.length);
      target.set(piece);
      return piece.length;
    }
    const at = position - head.length;
    const part = parts[indexAt(parts, at)];
    if (part === undefined) return 0;
    const piece = target.subarray(0, part.end - at);
    await part.read(piece, at - part.begin);
    return piece.length;
  };
  return {
    stat: async () => ({ size: head.length + size, isFile: () => true }),
    read: async (buffer, offset, length, position) => ({
      bytesRead: await read(buffer.subarray(offset, offset + length), position),
    }),
  };
}

/** What a safetensors file begins with: the length of its header, and the header. */
function headBytes(json: string): Uint8Array {
  const header = new TextEncoder().encode(json);
  const bytes = new Uint8Array(8 + header.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  return bytes;
}

/** Which of the parts, which follow each other, holds a byte. */
function indexAt(parts: readonly { readonly end: number }[], at: number): number {
  let [low, high] = [0, parts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (parts[middle]!.end <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}
