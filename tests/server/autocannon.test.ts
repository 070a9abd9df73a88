import autocannon from "autocannon";
import { describe, expect, it } from "vitest";
import { useLibrary } from "./support/alone.ts";
import { idle, useServer } from "./support/server.ts";

const headers = { "content-type": "application/json" };
const TIMEOUT_SECONDS = 60;

describe("under autocannon", () => {
  const running = useServer();
  const library = useLibrary();

  it("every answer of 64 connections is the one that is computed alone", async () => {
    const sent = { prompt: "ROMEO:", max_tokens: 8, temperature: 0 };
    const { text } = await library.alone(sent);
    const result = await autocannon({
      url: `${running.server.url}/v1/completions`,
      ...{ method: "POST", headers, body: JSON.stringify(sent) },
      ...{ connections: 64, amount: 256, timeout: TIMEOUT_SECONDS },
      verifyBody: (body) => (JSON.parse(String(body)) as { choices: { text: string }[] }).choices[0]!.text === text,
    });
    expect(result).toMatchObject({ errors: 0, timeouts: 0, mismatches: 0, non2xx: 0, "2xx": 256 });
    await idle(running.server);
  });

  it("malformed requests among good ones are refused, and nothing else is", async () => {
    const good = {
      method: "POST",
      headers,
      body: JSON.stringify({ prompt: "To be", max_tokens: 4, temperature: 0 }),
    } as const;
    const result = await autocannon({
      ...{ url: `${running.server.url}/v1/completions`, connections: 16, amount: 16 * 8, timeout: TIMEOUT_SECONDS },
      // After JSON that is broken the server closes the connection, of which autocannon loses count.
      requests: [good, { ...good, body: '{"prompt": 1}' }, good, { ...good, body: '{"prompt": "a", "temprature": 1}' }],
    });
    expect(result).toMatchObject({ errors: 0, timeouts: 0, "2xx": 64, "4xx": 64, "5xx": 0 });
    await idle(running.server);
  });
});
