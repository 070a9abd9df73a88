/** What a processor is called: results are kept in a folder for each, and tables name it. */

export interface Processor {
  /** Name of the folder, `amd-epyc-avx512-vnni`: the same for the same processor, whatever its cores, memory and system. */
  readonly slug: string;
  /** For people, `AMD EPYC, AVX-512 with VNNI`. */
  readonly title: string;
}

/** What a machine says of its processor. */
interface Described {
  readonly cpu: string;
  readonly simd: readonly string[];
  /** `linux x64` */
  readonly platform: string;
}

/** What engines choose their kernels by, the widest first; a processor is called by the first that it has. */
const INSTRUCTION_SETS = [
  { flag: "avx512_vnni", slug: "avx512-vnni", title: "AVX-512 with VNNI" },
  { flag: "avx512f", slug: "avx512", title: "AVX-512" },
  { flag: "avx_vnni", slug: "avx2-vnni", title: "AVX2 with VNNI" },
  { flag: "avx2", slug: "avx2", title: "AVX2 only" },
  { flag: "asimddp", slug: "neon-dotprod", title: "Neon with dot products" },
  { flag: "asimd", slug: "neon", title: "Neon" },
] as const;

/** The flags of these sets, as `/proc/cpuinfo` names them. */
export const INSTRUCTION_FLAGS: readonly string[] = INSTRUCTION_SETS.map(({ flag }) => flag);

/**
 * The slug is the name in lower case with hyphens, then the instruction set, or the architecture where none is known. What
 * makers add to the name is left out: trademarks, "CPU", "16-Core Processor", the clock after `@`, the graphics after "with".
 */
export function processorOf({ cpu, simd, platform }: Described): Processor {
  const name = cpu
    .replace(/ @ .*| with .*/i, "")
    .replace(/\((?:r|tm|c)\)/gi, "")
    .replace(/\b(?:cpu|[\w]+-core|processor)\b/gi, "")
    .trim()
    .replace(/\s+/g, " ");
  const architecture = platform.split(" ").at(-1) ?? "";
  const set = INSTRUCTION_SETS.find(({ flag }) => simd.includes(flag)) ?? { slug: architecture, title: architecture };
  return { slug: hyphenated(`${name || "unknown"} ${set.slug}`), title: `${name || "unknown"}, ${set.title}` };
}

function hyphenated(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}
