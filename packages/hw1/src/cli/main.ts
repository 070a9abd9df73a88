import { startProgram } from "gpt2-ts/start";

await startProgram("hw1", () => import("./run-command.ts"));
