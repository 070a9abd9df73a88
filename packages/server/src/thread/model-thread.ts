// What the server's thread runs.
import { parentPort } from "node:worker_threads";
import { serveModel } from "./serve-model.ts";

serveModel(parentPort!);
