import { startProgram } from "./start.ts";

await startProgram("gpt2", () => import("./run-command.ts"));
