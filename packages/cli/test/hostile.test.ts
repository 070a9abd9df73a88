import { describe, expect, it, onTestFinished } from "vitest";
import { type Hostility, startHostileServer } from "../../gpt2/test/hub/hostile-server.ts";
import { useHub } from "../../gpt2/test/hub/hub-fixture.ts";
import { gpt2 } from "./support/cli.ts";

useHub(); // a cache of its own

/** What a command says of a server that does this. */
async function told(hostility: Hostility, ...args: string[]) {
  const server = await startHostileServer(hostility);
  onTestFinished(() => server.stop());
  const { host } = new URL(server.url);
  const { status, stdout, stderr } = await gpt2(
    args.map((arg) => arg.replace("HOST", host)),
    { input: "text", env: { HF_ENDPOINT: server.url, HF_HUB_DOWNLOAD_TIMEOUT: "1" } },
  );
  expect([status, stdout]).toEqual([1, ""]);
  const lines = stderr.split("\n").filter((line) => line.startsWith("gpt2: "));
  expect(lines).toHaveLength(1);
  expect(stderr).not.toMatch(/user|password|secret/);
  expect(server.paths.length).toBeLessThan(30);
  return { line: lines[0]!, requests: server.paths.length };
}

describe("against a hostile server", () => {
  const at = ["--model", "http://user:password@HOST/model?signature=secret"];
  it.each<[Hostility, string[], RegExp]>([
    ["silence", ["tokenize", ...at], /\.json: 127\.0\.0\.1:\d+ stalled: nothing arrived for 1 s$/],
    ["a trickle", ["tokenize", ...at], /stalled: no more than \d+ bytes arrived for 1 s$/],
    ["a body without end", ["tokenize", ...at], /\.json: the answer is longer than 67108864 bytes$/],
    ["a body without end, compressed", ["info", ...at], /longer than/],
    ["a redirect to itself", ["info", ...at], /redirects more than 8 times$/],
    ["status 500", ["score", ...at], /the server answered 500/],
    ["a page for everything", ["generate", "--prompt", "x", ...at], /an HTML page, not the file/],
    ["sizes 1000 too large", ["download", "org/name"], /has \d+ bytes on the server, which listed it with \d+$/],
    ["ranges ignored, and a cut at 2 MB", ["download", "org/name"], /broke|ended after/],
    ["a listing that is its own next page", ["download", "org/name"], /lists files without end$/],
    ["a redirect to nobody", ["download", "org/name"], /cannot connect to 127\.0\.0\.1:1 \(bad port\)/],
    ["a redirect to an unknown host", ["download", "org/name"], /cannot find the host no-such-host\.invalid/],
    ["30 million brackets", ["download", "org/name"], /longer than|nests too deep/],
  ])("%s: %j ends soon, with one line", async (hostility, args, line) => {
    expect((await told(hostility, ...args)).line).toMatch(line);
  });

  it("a size that is not the listed one is an error at the first answer", async () => {
    const { requests } = await told("sizes 1000 too large", "download", "org/name");
    expect(requests).toBeLessThan(6);
  });
});
