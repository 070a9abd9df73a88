/** Where the benchmarks keep their files. Compiled or not, this module lies one folder below `benchmarks/`. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const BENCHMARKS = dirname(dirname(fileURLToPath(import.meta.url)));
export const REPOSITORY = dirname(BENCHMARKS);
export const REFERENCE = join(BENCHMARKS, "reference");
export const RESULTS = join(BENCHMARKS, "results");
export const PEERS = join(BENCHMARKS, "peers");
/** Rebuilt checkpoints and Node binaries; ignored by git. */
export const CACHE = join(BENCHMARKS, ".cache");
/** The model of the lessons. */
export const SHAKESPEARE = join(REPOSITORY, "weights", "shakespeare");
/** The shipped model: the one that the command uses unless told otherwise. */
export const STORIES = join(REPOSITORY, "weights", "stories");
