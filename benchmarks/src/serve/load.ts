/** Many connections at once, each with one request after another: most are good, some are hung up midway, some must be refused. */
import { setTimeout as after } from "node:timers/promises";
import { Generator } from "@gpt2-ts/tensor";
import { type Answer, Client, HungUp } from "./client.ts";
import type { BadRequest, GoodRequest } from "./requests.ts";

export interface LoadPlan {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly good: readonly GoodRequest[];
  readonly bad: Iterator<BadRequest, never>;
  /** The server's resident memory, in bytes. */
  readonly residentBytes: () => number;
}

/** Shares of the requests. */
const HUNG_UP = 0.1;
const MALFORMED = 0.1;
/** Whoever hangs up does so after at most so many pieces. */
const MOST_PIECES = 12;
const SAMPLE_EVERY_MS = 500;

/** What came of it. */
export interface LoadOutcome {
  readonly answered: number;
  readonly hungUp: number;
  /** Malformed requests by the status that they were refused with. */
  readonly refused: Readonly<Record<string, number>>;
  /** What should not have been: another answer than alone, another status, a connection that broke. */
  readonly faults: readonly string[];
  readonly tokens: number;
  readonly seconds: number;
  /** Milliseconds from the request to the first piece of a stream, sorted. */
  readonly firstMs: readonly number[];
  /** Resident memory, twice a second from the beginning to the end. */
  readonly residentBytes: readonly number[];
}

export async function runLoad(plan: LoadPlan): Promise<LoadOutcome> {
  const client = new Client(plan.url, plan.connections);
  const outcome = { answered: 0, hungUp: 0, refused: {} as Record<string, number>, faults: [] as string[], tokens: 0 };
  const firstMs: number[] = [];
  const residentBytes: number[] = [];
  const start = performance.now();
  const end = start + 1000 * plan.seconds;
  let turn = 0;

  const good = async (request: GoodRequest, hangUpAfter: number | undefined): Promise<void> => {
    try {
      const body = hangUpAfter === undefined ? request.body : { ...request.body, stream: true };
      const answer = await client.send(body, hangUpAfter === undefined ? {} : { hangUpAfter });
      const fault = faultOf(answer, request);
      if (fault !== undefined) outcome.faults.push(fault);
      outcome.answered++;
      outcome.tokens += answer.completionTokens;
      if (body.stream) firstMs.push(answer.firstMs);
    } catch (error) {
      if (!(error instanceof HungUp)) outcome.faults.push(String(error));
      else if (!error.texts.every((text, i) => request.texts[i]!.startsWith(text))) {
        outcome.faults.push(`a stream began with ${JSON.stringify(error.texts)}, not ${JSON.stringify(request.texts)}`);
      } else outcome.hungUp++;
    }
  };

  const bad = async ({ what, body, options }: BadRequest): Promise<void> => {
    try {
      const { status, error } = await client.send(body, options);
      outcome.refused[status] = (outcome.refused[status] ?? 0) + 1;
      if (status < 400 || status >= 500 || status === 429) outcome.faults.push(`${what}: status ${status}: ${error}`);
    } catch (error) {
      outcome.faults.push(`${what}: ${error}`);
    }
  };

  const connection = async (seed: number): Promise<void> => {
    const random = new Generator(seed);
    while (performance.now() < end) {
      const kind = random.uniform();
      const request = plan.good[turn++ % plan.good.length]!;
      const pieces = 1 + Math.floor(random.uniform() * MOST_PIECES);
      if (kind < MALFORMED) await bad(plan.bad.next().value);
      else await good(request, kind < MALFORMED + HUNG_UP ? pieces : undefined);
    }
  };

  const sampling = (async () => {
    while (performance.now() < end) {
      residentBytes.push(plan.residentBytes());
      await after(SAMPLE_EVERY_MS);
    }
  })();
  await Promise.all(Array.from({ length: plan.connections }, (_, seed) => connection(seed)));
  const seconds = (performance.now() - start) / 1000;
  await sampling;
  client.close();
  return { ...outcome, seconds, firstMs: firstMs.sort((a, b) => a - b), residentBytes };
}

/** In what an answer differs from the one that was computed alone; undefined if in nothing. */
function faultOf({ status, error, choices }: Answer, { body, texts, logprobs }: GoodRequest): string | undefined {
  if (status !== 200) return `status ${status}: ${error}`;
  const answered = choices.map(({ text }) => text);
  if (JSON.stringify(answered) !== JSON.stringify(texts)) {
    return `${JSON.stringify(body)}: ${JSON.stringify(answered)}, alone ${JSON.stringify(texts)}`;
  }
  if (logprobs === undefined) return undefined;
  const likelihoods = JSON.stringify(choices.map((choice) => choice.logprobs?.token_logprobs));
  if (likelihoods === JSON.stringify(logprobs)) return undefined;
  return `${JSON.stringify(body)}: log-probabilities ${likelihoods}, alone ${JSON.stringify(logprobs)}`;
}

/** The value below which a share of the sorted ones lies (nearest rank). */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Resident memory early and late: medians of the second and of the last quarter of the time; the first is for warming up. */
export function memoryDrift(residentBytes: readonly number[]): { readonly early: number; readonly late: number } {
  const quarter = Math.floor(residentBytes.length / 4);
  const median = (values: readonly number[]): number =>
    percentile(
      values.toSorted((a, b) => a - b),
      0.5,
    );
  return { early: median(residentBytes.slice(quarter, 2 * quarter)), late: median(residentBytes.slice(-quarter)) };
}
