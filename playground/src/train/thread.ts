// What the worker runs that trains. It has one training in its life; the memory of it goes with the worker.
import { learn } from "./learn.ts";
import type { FolderFiles, Order, Report, Training } from "./protocol.ts";

const controller = new AbortController();
let paused = false;
let ended = false;
/** Whether someone asks for the model. */
let wanted = false;
let files: (() => Promise<FolderFiles>) | undefined;
/** Called with the next order. */
let wake = (): void => {};

const report = (message: Report): void => self.postMessage(message);

self.addEventListener("message", ({ data }: MessageEvent<Order>) => {
  if (data.type === "train") void run(data.training);
  else if (data.type === "pause") paused = true;
  else if (data.type === "goOn") paused = false;
  else if (data.type === "stop") controller.abort();
  else wanted = true;
  wake();
  if (ended) void handOver();
});

async function run(training: Training): Promise<void> {
  const { signal } = controller;
  const onModel = (made: () => Promise<FolderFiles>): void => {
    files = made;
  };
  try {
    await learn(training, { signal, report, onModel, betweenSteps });
  } catch (error) {
    if (!signal.aborted) {
      report({ type: "failed", message: error instanceof Error ? error.message : String(error) });
      return;
    }
  }
  ended = true;
  report({ type: "end", stopped: signal.aborted });
  await handOver();
}

/** Hands the model over if someone asks, and waits while the training is paused. */
async function betweenSteps(): Promise<void> {
  await handOver();
  if (paused) report({ type: "paused" });
  while (paused && !controller.signal.aborted) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
    await handOver();
  }
}

async function handOver(): Promise<void> {
  if (!wanted || files === undefined) return;
  wanted = false;
  try {
    report({ type: "files", files: await files() });
  } catch (error) {
    report({ type: "noFiles", message: (error as Error).message });
  }
}
