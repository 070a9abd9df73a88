import { compileKernels, kernelSources } from "../../scripts/compile-kernels.mjs";
import { WasmBackend } from "../../src/backends/wasm/backend.ts";
import { wasmBackends } from "../wasm-kernels/harness.ts";

/** The lanes of `sum` + products of four bytes, in plain SIMD: `low` and `high` are those of two bytes, in i32. */
const foursOf = `
  const even = i8x16.shuffle(low, high, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
  const odd = i8x16.shuffle(low, high, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  return i32x4.add(sum, i32x4.add(even, odd));`;

const pairs = (b: "s" | "u", operand = "b"): string => `
  const low = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(a), i16x8.extend_low_i8x16_${b}(${operand}));
  const high = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(a), i16x8.extend_high_i8x16_${b}(${operand}));`;

/** What processors make of the instruction, each written out exactly. */
const emulations = {
  /** VNNI's vpdpbusd. */
  unsigned: `${pairs("u")}${foursOf}`,
  /** ARM's sdot. */
  signed: `${pairs("s")}${foursOf}`,
  /** x86 without VNNI: pmaddubsw, whose sums of two saturate at 16 bits, and pmaddwd. */
  saturating: `${pairs("u")}
  return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(i16x8.narrow_i32x4_s(low, high)));`,
  /** One that looks at seven bits only, as the instruction's name has it. */
  "seven bits": `${pairs("u", "v128.and(b, i8x16.splat(127))")}${foursOf}`,
} as const;
export type Emulation = keyof typeof emulations;
export const allEmulations = Object.keys(emulations) as Emulation[];

const sources = await kernelSources();

/** The byte kernels, with their one instruction replaced by what it is on some processor. */
export async function emulatedKernels(emulation: Emulation): Promise<Uint8Array<ArrayBuffer>> {
  const dotBytes = `
// @ts-ignore: decorator
@inline
export function dotBytes(a: v128, b: v128, sum: v128): v128 {${emulations[emulation]}
}`;
  const changed = new Map(sources).set("byte-dot.ts", dotBytes);
  return Uint8Array.from(await compileKernels(changed, "int8-bytes.ts", "BYTE_CONSTANTS", false));
}

/** Every kind of wasm backend as it is here, and some whose processor multiplies bytes, one way or the other. */
export async function byteBackends(): Promise<{ readonly name: string; readonly backend: WasmBackend }[]> {
  const [unsigned, signed] = [await emulatedKernels("unsigned"), await emulatedKernels("signed")];
  const saturating = await emulatedKernels("saturating");
  return [
    ...wasmBackends(),
    { name: "words, two threads", backend: new WasmBackend({ threads: 2 }, saturating) },
    { name: "unsigned bytes, one thread", backend: new WasmBackend({ threads: 1, deterministic: true }, unsigned) },
    { name: "unsigned bytes, three threads", backend: new WasmBackend({ threads: 3 }, unsigned) },
    { name: "signed bytes, two threads", backend: new WasmBackend({ threads: 2, deterministic: true }, signed) },
  ];
}
