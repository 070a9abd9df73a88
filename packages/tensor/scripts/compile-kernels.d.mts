/** The text of every file that kernels are made of, by its path from the kernels' folder. */
export function kernelSources(): Promise<Map<string, string>>;

/**
 * The module that begins with a file. `constants`: the name in abi.ts of the address where its constants are. Throws what
 * the compiler says.
 */
export function compileKernels(
  sources: ReadonlyMap<string, string>,
  entry: string,
  constants: "CONSTANTS" | "BYTE_CONSTANTS",
  relaxed: boolean,
): Promise<Buffer>;
