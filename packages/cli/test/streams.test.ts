import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelFiles, useHub } from "../../gpt2/test/hub/hub-fixture.ts";
import { MAIN } from "./support/cli.ts";
import { signalWhen } from "./support/signal-when.ts";

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line; nobody reads the streams named. */
async function run(
  args: readonly string[],
  closed: readonly ("stdout" | "stderr")[],
  during?: (child: ChildProcessWithoutNullStreams) => void,
): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args]);
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    if (closed.includes(name)) child[name].destroy();
    else child[name].on("data", (data) => (written[name] += data));
  }
  child.stdin.end();
  during?.(child);
  const [status] = (await once(child, "close")) as [number | null];
  return { status, ...written };
}

const PARTS = ["config.json", "merges.txt", "model.safetensors", "vocab.json"];

let room: string;
beforeAll(async () => {
  room = await mkdtemp(join(tmpdir(), "gpt2-streams-"));
});
afterAll(() => rm(room, { recursive: true }));

describe.concurrent("when nobody reads standard output", () => {
  it.each(["--help", "--version", "generate --help", "info", "generate --prompt Romeo", "generate --json -p Romeo"])(
    "gpt2 %s ends quietly, with the status of a closed pipe",
    async (line) => {
      const args = line.split(" ");
      expect(await run(args, ["stdout"])).toEqual({ status: 141, stdout: "", stderr: "" });
      expect(await run(args, ["stdout", "stderr"])).toEqual({ status: 141, stdout: "", stderr: "" });
    },
  );
});

describe.concurrent("when nobody reads standard error", () => {
  it("convert does its work", async () => {
    const out = join(room, "converted");
    const { status, stdout } = await run(["convert", "--dtype", "int8", "--out", out], ["stderr"]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${out}\n` });
    expect((await readdir(out)).sort()).toEqual(PARTS);
  });

  it("convert leaves nothing behind when it is interrupted", async () => {
    const own = await mkdtemp(join(room, "interrupted-"));
    const { status } = await run(["convert", "--dtype", "int8", "--out", join(own, "out")], ["stderr"], (child) =>
      signalWhen(child, "SIGTERM", async () => (await readdir(own)).length > 0),
    );
    // It may have been done already, and not be listening any more.
    expect([143, 0, null]).toContain(status);
    expect(await readdir(own)).toEqual(status === 143 ? [] : ["out"]);
  });

  it("errors and wrong options keep their exit status", async () => {
    expect((await run(["generate", "--model", "./nowhere"], ["stderr"])).status).toBe(1);
    expect((await run(["generate", "--tempreature", "1"], ["stderr"])).status).toBe(1);
    expect((await run([], ["stderr"])).status).toBe(1);
    expect((await run(["generate", "--prompt", "a", "--profile", "--max-tokens", "2"], ["stderr"])).status).toBe(0);
  });
});

describe("gpt2 download", () => {
  const hub = useHub();
  const serve = (): string => {
    process.env["HF_ENDPOINT"] = hub.server.url;
    process.env["NO_PROXY"] = "127.0.0.1";
    return hub.server.commit("org/name", modelFiles());
  };

  it("does its work when nobody reads standard error", async () => {
    const commit = serve();
    const { status, stdout } = await run(["download", "org/name"], ["stderr"]);
    const folder = join(hub.cacheDir, "models--org--name", "snapshots", commit);
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${folder}\n` });
    expect((await hub.blobs("org/name")).filter((name) => name.endsWith(".incomplete"))).toEqual([]);
  });

  it("ends quietly when nobody reads standard output", async () => {
    serve();
    const { status, stderr } = await run(["download", "org/name"], ["stdout"]);
    expect(status).toBe(141);
    expect(stderr).not.toContain("gpt2:");
  });

  it("says on SIGTERM that it can be continued, with status 143, also when nobody reads that", async () => {
    serve();
    hub.server.throttle = { bytes: 5000, ms: 15 };
    const first = await run(["download", "org/name"], [], (child) => {
      let seen = "";
      child.stderr.on("data", (data) => {
        seen += data;
        if (seen.includes("25% (")) {
          seen = "";
          child.kill("SIGTERM");
        }
      });
    });
    expect(first).toMatchObject({ status: 143, stdout: "" });
    expect(first.stderr).toMatch(/interrupted; run the same command again to continue\n$/);
    const second = await run(["download", "org/name"], ["stderr"], (child) => {
      const asked = hub.server.requests.length;
      const look = setInterval(() => {
        if (hub.server.requests.length === asked) return; // it may not listen for signals yet
        clearInterval(look);
        child.kill("SIGTERM");
      }, 1);
      child.on("close", () => clearInterval(look));
    });
    expect([143, 0]).toContain(second.status);
  });
});

describe.runIf(process.platform !== "win32")("with few file descriptors", () => {
  it.each([24, 40, 64])("(%i) the program says what to do, on one line, or does with what there is", async (limit) => {
    const command = `ulimit -n ${limit} && exec "$0" "$@"`;
    const generate = ["generate", "--prompt", "a", "--threads", "16", "--greedy", "--max-tokens", "20"];
    const child = spawn("sh", ["-c", command, process.execPath, MAIN, ...generate]);
    let stderr = "";
    child.stderr.on("data", (data) => {
      stderr += data;
    });
    child.stdout.resume();
    child.stdin.end();
    const [status] = await once(child, "close");
    // Node 20 needs more to load the program; later ones need them for workers, without which the work is done too.
    const notLoaded = `gpt2: it cannot be loaded with so few open files (EMFILE): raise ulimit -n, now ${limit}\n`;
    const fewer =
      /^(?:gpt2: the wasm device runs on \d+ of 16 threads: no more can be started \(.*EMFILE\); "gpt2 info" says more\n)?$/;
    if (status === 0) expect(stderr).toMatch(fewer);
    else expect({ status, stderr }).toEqual({ status: 1, stderr: notLoaded });
  });
});
