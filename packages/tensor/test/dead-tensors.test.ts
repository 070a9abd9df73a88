import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const LIBRARY = new URL("../dist/index.js", import.meta.url).href;

/** Runs a program on the built package, with the heap that Node has by default, without flags. */
async function run(program: string): Promise<string> {
  const code = `import { keep, ones, tidy } from ${JSON.stringify(LIBRARY)};\n${program}`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
  });
  return stdout.trim();
}

// 8 MiB a tensor, one or two a round: 4 GiB are full after 256 or 512 rounds if nothing is given back.
const LOOP = (step: string, awaited: string): string => `
  let x = ones([2 ** 21]);
  for (let round = 0; round < 540; round++) {
    x = ${step};
    ${awaited}
  }
  console.log((await x.sum().item()) > 0);`;

describe("tensors that nobody holds any more", () => {
  test.each([
    ["x.mul(0.999).add(0.001)", "await x.sum().item();"],
    // Tensors that tidy lets go, or keep took out of it.
    ["tidy(() => x.mul(0.999).add(0.001))", "await x.data();"],
    ["tidy(() => keep(x.mul(0.999)).add(0.001))", "await new Promise((resolve) => setTimeout(resolve));"],
  ])("are given back in a loop that awaits: x = %s; %s", async (step, awaited) => {
    expect(await run(LOOP(step, awaited))).toBe("true");
  });

  test("end a loop that never awaits with an error that shows how to free them", async () => {
    const message = await run(`
      let x = ones([2 ** 21]);
      try {
        for (let round = 0; round < 540; round++) x = x.mul(0.999).add(0.001);
      } catch (error) {
        console.log(error.name + ": " + error.message);
      }`);
    expect(message).toMatch(/^DeviceError: wasm: out of memory: 8 MiB asked for, \d+ MiB in use of at most 4096 MiB/);
    expect(message).toContain("const y = tidy(() => x.mul(0.999).add(0.001));");
    expect(message).toContain("using x = …");
  });
});
