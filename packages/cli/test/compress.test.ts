import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gpt2 } from "./support/cli.ts";

const TEXT = "Friends, Romans, countrymen, lend me your ears;\nI come to bury Caesar, not to praise him.\n";

let room: string;
beforeAll(async () => {
  room = await mkdtemp(join(tmpdir(), "gpt2-compress-"));
  await writeFile(join(room, "speech.txt"), TEXT);
  const { status, stderr } = await gpt2(["compress", "speech.txt", "-o", "speech.gpt2z"], { cwd: room });
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/^(\d+% .*\n)*$/) });
});
afterAll(() => rm(room, { recursive: true }));

describe.concurrent("gpt2 compress and decompress", () => {
  it("make a file smaller, and open it again", async () => {
    expect((await readFile(join(room, "speech.gpt2z"))).length).toBeLessThan(TEXT.length / 1.5);
    const { status, stdout } = await gpt2(["decompress", "speech.gpt2z", "--threads", "1"], { cwd: room });
    expect({ status, stdout }).toEqual({ status: 0, stdout: TEXT });
  });

  it("work in a pipe", async () => {
    const bytes = Uint8Array.of(0, 255, 254, 10, 13, 128);
    const { stdoutBytes } = await gpt2(["compress"], { input: bytes });
    expect((await gpt2(["decompress"], { input: stdoutBytes })).stdoutBytes).toEqual(Buffer.from(bytes));
  });

  it("name a file that is damaged, and leave what was there", async () => {
    const file = await readFile(join(room, "speech.gpt2z"));
    await writeFile(join(room, "cut.gpt2z"), file.subarray(0, -5));
    await writeFile(join(room, "kept.txt"), "precious");
    const { status, stdout, stderr } = await gpt2(["decompress", "cut.gpt2z", "-o", "kept.txt"], { cwd: room });
    expect({ status, stdout, stderr }).toEqual({
      ...{ status: 1, stdout: "" },
      stderr: `gpt2: cut.gpt2z: cut off: it has ${file.length - 5} bytes and should have ${file.length}\n`,
    });
    expect(await readFile(join(room, "kept.txt"), "utf8")).toBe("precious");
    expect((await readdir(room)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("say that the dtype is another", async () => {
    const { status, stderr } = await gpt2(["decompress", "speech.gpt2z", "--dtype", "int8"], { cwd: room });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^gpt2: speech\.gpt2z: made with another model, or with other settings/);
  });

  it.each([
    [["decompress", "missing"], /^gpt2: missing: the file cannot be read \(ENOENT\)$/m],
    [["compress", "speech.txt", "--device", "gpu"], /unknown option '--device'/],
    [["compress", "speech.txt", "-o", ""], /expected a file/],
    [["compress", "speech.txt", "-o", "no/such/folder"], /no\/such\/folder: the file cannot be written \(ENOENT\)$/m],
  ])("%j is one line on standard error", async (args, message) => {
    const { status, stdout, stderr } = await gpt2(args, { cwd: room });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr.split("\n").filter((line) => !/^\d+% /.test(line))).toHaveLength(2);
  });
});
