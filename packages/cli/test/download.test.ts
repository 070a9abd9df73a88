import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fileHash, modelFiles, noise, useHub } from "../../gpt2/test/hub/hub-fixture.ts";
import { sha256 } from "../../gpt2/test/hub/hub-server.ts";
import { MAIN } from "./support/cli.ts";

const hub = useHub();
const WEIGHTS = "model.safetensors";

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `gpt2 download` against the test's server; `during` may watch standard error and interrupt. */
function download(
  args: string[],
  during?: (stderr: string, interrupt: (signal?: NodeJS.Signals) => void) => void,
): Promise<Run> {
  const env = { ...process.env, HF_ENDPOINT: hub.server.url, NO_PROXY: "127.0.0.1" };
  const child = spawn(process.execPath, [MAIN, "download", ...args], { env });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data) => {
    stdout += data;
  });
  child.stderr.on("data", (data) => {
    stderr += data;
    during?.(stderr, (signal = "SIGINT") => child.kill(signal));
  });
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, stdout, stderr })));
}

describe("gpt2 download", () => {
  it("prints the folder on standard output and its progress on standard error", async () => {
    const commit = hub.server.commit("org/name", modelFiles());
    const { status, stdout, stderr } = await download(["org/name"]);
    expect(status).toBe(0);
    expect(stdout).toBe(`${join(hub.cacheDir, "models--org--name", "snapshots", commit)}\n`);
    expect(await fileHash(join(stdout.trim(), WEIGHTS))).toBe(sha256(noise(300_000, "one")));
    expect(stderr).toContain(`org/name at ${commit.slice(0, 12)}: 300 kB`);
    expect(stderr).toMatch(/^100% \(300 kB of 300 kB\) model\.safetensors$/m);
    // Standard error is no terminal here: a few lines, and nothing that moves a cursor.
    expect(stderr.split("\n").length).toBeLessThan(10);
    expect(stderr).not.toContain("\u001b");
  });

  it("stops on Ctrl-C with status 130, and continues when it is run again", async () => {
    hub.server.commit("org/name", modelFiles());
    hub.server.throttle = { bytes: 5000, ms: 15 };
    const first = await download(["org/name"], (stderr, interrupt) => {
      // Once: a second Ctrl-C ends the process at once.
      if (stderr.trimEnd().endsWith(WEIGHTS) && stderr.includes("25% (")) interrupt();
    });
    expect(first).toMatchObject({ status: 130, stdout: "" });
    expect(first.stderr).toContain("run the same command again to continue");
    hub.server.throttle = undefined;
    hub.server.requests.length = 0;
    const second = await download(["org/name"]);
    expect(second.status).toBe(0);
    expect(second.stderr).toMatch(/^model\.safetensors: continuing after \d/m);
    expect(hub.server.transfers(WEIGHTS).at(-1)?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
    expect(await fileHash(join(second.stdout.trim(), WEIGHTS))).toBe(sha256(noise(300_000, "one")));
  });

  it("ends with status 143 when the system asks it to", async () => {
    hub.server.commit("org/name", modelFiles());
    hub.server.throttle = { bytes: 5000, ms: 15 };
    let sent = false;
    const run = await download(["org/name"], (stderr, interrupt) => {
      if (!sent && stderr.includes("25% (")) interrupt("SIGTERM");
      sent ||= stderr.includes("25% (");
    });
    expect(run).toMatchObject({ status: 143, stdout: "" });
    expect(run.stderr).toContain("run the same command again to continue");
  });

  it("killed without warning leaves a part that the next run continues", async () => {
    hub.server.commit("org/name", modelFiles());
    hub.server.throttle = { bytes: 5000, ms: 15 };
    const env = { ...process.env, HF_ENDPOINT: hub.server.url };
    const child = spawn(process.execPath, [MAIN, "download", "org/name"], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr.on("data", (data) => {
      if (String(data).includes("25% (")) child.kill("SIGKILL");
    });
    await new Promise((resolve) => child.on("close", resolve));
    hub.server.throttle = undefined;
    const { status, stdout, stderr } = await download(["org/name"]);
    expect(status).toBe(0);
    expect(stderr).toMatch(/continuing after \d/);
    expect(await fileHash(join(stdout.trim(), WEIGHTS))).toBe(sha256(noise(300_000, "one")));
    expect((await hub.blobs("org/name")).filter((name) => name.includes("incomplete"))).toEqual([]);
  });

  it("in two processes at once ends well in both, with nothing left over", async () => {
    hub.server.commit("org/name", modelFiles());
    hub.server.throttle = { bytes: 20_000, ms: 10 };
    const runs = await Promise.all([download(["org/name"]), download(["org/name"])]);
    for (const { status, stdout } of runs) {
      expect(status).toBe(0);
      expect(await fileHash(join(stdout.trim(), WEIGHTS))).toBe(sha256(noise(300_000, "one")));
    }
    expect(await hub.blobs("org/name")).toHaveLength(5);
  });

  it("tells of a connection that broke and goes on", async () => {
    hub.server.commit("org/name", modelFiles());
    hub.server.fault(WEIGHTS, { kind: "cut", after: 100_000 });
    const { status, stderr } = await download(["org/name"]);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^model\.safetensors: .*; trying again in \d/m);
  });

  it("takes a revision and another folder, and only looks into the cache when told so", async () => {
    const commit = hub.server.commit("org/name", modelFiles(), "v2");
    const folder = join(process.env["HF_HOME"]!, "mine");
    const online = await download(["org/name", "--revision", "v2", "--cache-dir", folder]);
    expect(online.stdout).toBe(`${join(folder, "models--org--name", "snapshots", commit)}\n`);
    const named = await download(["org/name@v2", "--cache-dir", folder]);
    expect(named.stdout).toBe(online.stdout);
    hub.server.requests.length = 0;
    const offline = await download(["org/name", "--revision", "v2", "--cache-dir", folder, "--offline"]);
    expect(offline).toMatchObject({ status: 0, stdout: online.stdout });
    expect(hub.server.requests).toEqual([]);
  });

  it.each([
    ["a wrong checksum", ["org/name"], /model\.safetensors arrived damaged/],
    ["an unknown model", ["org/absent"], /no such model.*HF_TOKEN/],
    ["an unknown revision", ["org/name", "--revision", "absent"], /no such revision/],
    ["a name that is none", ["../name"], /is not the name of a model/],
    ["a model that is not in the cache", ["org/other", "--offline"], /not complete in .*HF_HUB_OFFLINE/],
  ])("%s is one clear line and a non-zero status", async (_, args, message) => {
    hub.server.commit("org/name", modelFiles());
    hub.server.fault(WEIGHTS, { kind: "corrupt", at: 5 });
    const { status, stdout, stderr } = await download(args);
    expect(status).toBe(1);
    expect(stdout).toBe("");
    const errors = stderr.split("\n").filter((line) => line.startsWith("gpt2: "));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(message);
    expect(stderr).not.toContain("    at ");
    expect((await hub.blobs("org/name")).filter((name) => name.length !== 40)).toEqual([]);
  });

  it("a missing token is an error that says how to give one", async () => {
    hub.server.token = "hf_secret";
    hub.server.commit("org/name", modelFiles());
    const { status, stderr } = await download(["org/name"]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^gpt2: .*401.*set HF_TOKEN.*\n$/);
  });
});
