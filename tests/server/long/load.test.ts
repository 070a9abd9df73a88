import { GPT2 } from "@gpt2-ts/gpt2";
import { describe, expect, it } from "vitest";
import { SHAKESPEARE } from "../../../benchmarks/src/paths.ts";
import { readBook } from "../../../benchmarks/src/real/book.ts";
import { memoryDrift, percentile, runLoad } from "../../../benchmarks/src/serve/load.ts";
import { badRequests, goodRequests } from "../../../benchmarks/src/serve/requests.ts";
import { ServerProcess } from "../../../benchmarks/src/serve/server-process.ts";

const CONNECTIONS = 64;
const SECONDS = Number(process.env["LOAD_SECONDS"] ?? 60);

describe("gpt2 serve under load", () => {
  it(`answers ${CONNECTIONS} connections as if each were alone, and refuses only what is malformed`, async () => {
    using model = await GPT2.load(SHAKESPEARE);
    const good = await goodRequests(model, await readBook(), 64, 2);
    const bad = badRequests(model.config.nPositions, model.config.vocabSize);
    await using server = await ServerProcess.start({ model: SHAKESPEARE });
    const residentBytes = (): number => server.residentBytes();
    const outcome = await runLoad({
      url: server.url,
      connections: CONNECTIONS,
      seconds: SECONDS,
      good,
      bad,
      residentBytes,
    });
    expect(outcome.faults).toEqual([]);
    expect(outcome.answered).toBeGreaterThan(CONNECTIONS);
    expect(outcome.hungUp).toBeGreaterThan(0);
    expect(Object.keys(outcome.refused).every((status) => /^4\d\d$/.test(status))).toBe(true);
    const { early, late } = memoryDrift(outcome.residentBytes);
    console.log(
      `${outcome.answered} answered, ${outcome.hungUp} hung up, refused ${JSON.stringify(outcome.refused)}, ` +
        `p99 of the first piece ${percentile(outcome.firstMs, 0.99).toFixed(0)} ms, ` +
        `resident memory ${(early / 1e6).toFixed(0)} → ${(late / 1e6).toFixed(0)} MB`,
    );
    expect(late - early).toBeLessThan(16e6);
  });
});
