// What this repository's command lines share. Not a public API: it changes with them.

export { displayModel, type FindOptions, findModel, type ModelChoice } from "./find-model.ts";
export { Interruption, interruptible } from "./interruption.ts";
export { addModelOptions, loadFrom, type ModelFlags, parseInteger, parseNumber } from "./model-options.ts";
export { writeOut } from "./output.ts";
export { type Program, runProgram } from "./program.ts";
export { createProgress, type ProgressDisplay, type ProgressUnit } from "./progress.ts";
export { decodeStrictly } from "./utf8.ts";
