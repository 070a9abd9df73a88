// The training of the tab: what was chosen, what the thread reports, and the orders to it. It goes on while other parts are looked at.
import type { TrainingProgress } from "@gpt2-ts/gpt2/train";
import { computed, type Signal, signal } from "@preact/signals";
import { integer, number } from "../codecs.ts";
import { announce } from "../engine/announce.ts";
import { inUrl } from "../url.ts";
import type { Beginning, FolderFiles, Order, Report } from "./protocol.ts";
import { type Estimate, estimate, FIELDS, type SettingName, type Settings } from "./settings.ts";
import { recentSpeed } from "./speed.ts";

/** How far a training is. */
export type Phase =
  | "none"
  | "preparing"
  | "running"
  | "pausing"
  | "paused"
  | "stopping"
  | "stopped"
  | "finished"
  | "failed";

type Point = readonly [step: number, loss: number];

/** The losses so far. The arrays grow where they are; the object is a new one then. */
export interface Losses {
  /** Of each step. */
  readonly train: readonly Point[];
  readonly heldOut: readonly Point[];
}

/** The latest numbers. */
export interface Pace {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  /** Over the latest steps; undefined while there are too few. */
  readonly tokensPerSecond: number | undefined;
  readonly secondsLeft: number;
}

/** What the model wrote, and after which step. */
export interface Written {
  readonly step: number;
  readonly prompt: string;
  readonly text: string;
}

/** Each setting, as it is chosen. */
export const chosen = Object.fromEntries(
  FIELDS.map(({ name, initial, min, max, isReal }) => [
    name,
    inUrl(`train.${name}`, initial, isReal ? number(min, max) : integer(min, max)),
  ]),
) as Readonly<Record<SettingName, Signal<number>>>;
/** What was typed and cannot be, and why. */
export const rejected = signal<
  Readonly<Partial<Record<SettingName, { readonly typed: string; readonly why: string }>>>
>({});
export const text = signal({ title: "", text: "" });
/** What samples begin with. */
export const prompt = signal("");

export const phase = signal<Phase>("none");
/** The share of the vocabulary that is learned. */
export const vocabularyShare = signal(0);
export const beginning = signal<Beginning | undefined>(undefined);
export const losses = signal<Losses>({ train: [], heldOut: [] });
export const pace = signal<Pace | undefined>(undefined);
export const written = signal<readonly Written[]>([]);
/** What went wrong. */
export const failure = signal<string | undefined>(undefined);

export const settings = computed(
  () => Object.fromEntries(FIELDS.map(({ name }) => [name, chosen[name].value])) as unknown as Settings,
);

/** What the training will take, or why it cannot be. */
export const estimated = computed<Estimate | { readonly refused: string }>(() => {
  try {
    return estimate(settings.value);
  } catch (error) {
    return { refused: (error as Error).message };
  }
});

/** Whether a training can begin. */
export const ready = computed(
  () => text.value.text !== "" && !("refused" in estimated.value) && Object.keys(rejected.value).length === 0,
);

/** Whether a training has the thread. */
export const busy = computed(() => ["preparing", "running", "pausing", "paused", "stopping"].includes(phase.value));

/** Whether there is a model to be saved or used. */
export const hasModel = computed(() => pace.value !== undefined && phase.value !== "failed");

let worker: Worker | undefined;
/** Tokens a second, of each step. */
let speeds: number[] = [];
let waiting: { readonly resolve: (files: FolderFiles) => void; readonly reject: (error: Error) => void }[] = [];
const send = (order: Order): void => worker?.postMessage(order);

/** Begins anew. What was trained before is gone. */
export function start(): void {
  leave("the training was begun anew");
  beginning.value = undefined;
  losses.value = { train: [], heldOut: [] };
  pace.value = undefined;
  speeds = [];
  written.value = [];
  failure.value = undefined;
  vocabularyShare.value = 0;
  phase.value = "preparing";
  announce("The training begins.");
  const own = new Worker(new URL("./thread.ts", import.meta.url), { type: "module", name: "training" });
  worker = own;
  own.addEventListener("message", ({ data }: MessageEvent<Report>) => {
    if (own === worker) take(data);
  });
  own.addEventListener("error", (event) => {
    event.preventDefault();
    if (own === worker) fail(event.message || "the worker that trains could not be started");
  });
  send({ type: "train", training: { text: text.value.text, prompt: prompt.value, settings: settings.value } });
  addEventListener("beforeunload", askFirst);
}

export function pause(): void {
  phase.value = "pausing";
  send({ type: "pause" });
}

export function goOn(): void {
  phase.value = "running";
  send({ type: "goOn" });
}

export function stop(): void {
  phase.value = "stopping";
  send({ type: "stop" });
}

/** The model as the latest step left it, as the files of its folder. */
export function modelFiles(): Promise<FolderFiles> {
  return new Promise((resolve, reject) => {
    waiting.push({ resolve, reject });
    send({ type: "files" });
  });
}

/** Ends the thread, if there is one. */
function leave(why: string): void {
  worker?.terminate();
  worker = undefined;
  answer(({ reject }) => reject(new Error(why)));
  removeEventListener("beforeunload", askFirst);
}

function answer(how: (one: (typeof waiting)[number]) => void): void {
  const all = waiting;
  waiting = [];
  for (const one of all) how(one);
}

function fail(message: string): void {
  phase.value = "failed";
  failure.value = message;
  leave(message);
}

function take(report: Report): void {
  switch (report.type) {
    case "vocabulary":
      vocabularyShare.value = report.share;
      return;
    case "begin":
      beginning.value = report;
      if (phase.value === "preparing") phase.value = "running";
      return;
    case "progress":
      note(report.progress);
      return;
    case "sample":
      written.value = [{ step: report.step, prompt: report.prompt, text: report.text }, ...written.value];
      return;
    case "paused":
      if (phase.value === "pausing") phase.value = "paused";
      return;
    case "end":
      phase.value = report.stopped ? "stopped" : "finished";
      announce(report.stopped ? "The training is stopped." : "The training is finished.");
      removeEventListener("beforeunload", askFirst);
      return;
    case "files":
      answer(({ resolve }) => resolve(report.files));
      return;
    case "noFiles":
      answer(({ reject }) => reject(new Error(report.message)));
      return;
    case "failed":
      fail(report.message);
  }
}

function note(progress: TrainingProgress): void {
  const { train, heldOut } = losses.value;
  const { step } = progress;
  if (progress.type === "evaluation") {
    if (progress.heldOutLoss !== undefined) {
      losses.value = { train, heldOut: [...heldOut, [step, progress.heldOutLoss]] };
    }
    return;
  }
  const { steps, loss, secondsLeft } = progress;
  (train as Point[]).push([step, loss]);
  losses.value = { train, heldOut };
  speeds.push(progress.tokensPerSecond);
  pace.value = { step, steps, loss, tokensPerSecond: recentSpeed(speeds), secondsLeft };
}

/** The browser asks before it closes a tab that learns. */
function askFirst(event: Event): void {
  event.preventDefault();
}
