/** A program's `run-command` module. */
interface ProgramModule {
  runCommand(args: readonly string[]): Promise<number>;
}

/** Files that Node has open at once while it loads a program's modules, and some more. */
const FEW_FILES = 128;

/**
 * Loads a program and runs it. This module imports nothing, so that it can tell why another one could not be loaded: with few file
 * descriptors Node ends with the stack of whatever it did, or says that a package is not there.
 */
export async function startProgram(name: string, load: () => Promise<ProgramModule>): Promise<void> {
  let program: ProgramModule;
  try {
    program = await load();
  } catch (error) {
    const limit = mostOpenFiles();
    if (!(error instanceof Error && /\bEMFILE\b/.test(error.message)) && !(limit < FEW_FILES)) throw error;
    process.stderr.on("error", () => {});
    process.stderr.write(
      `${name}: it cannot be loaded with so few open files (EMFILE): raise ulimit -n, now ${limit}\n`,
    );
    process.exitCode = 1;
    return;
  }
  process.exitCode = await program.runCommand(process.argv.slice(2));
}

/** `ulimit -n`; NaN where there is none. */
function mostOpenFiles(): number {
  const report = process.report?.getReport() as { userLimits?: { open_files?: { soft?: unknown } } } | undefined;
  return Number(report?.userLimits?.open_files?.soft);
}
