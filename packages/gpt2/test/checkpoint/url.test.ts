import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createWasmBackend } from "@gpt2-ts/tensor";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { loadModel } from "../../src/checkpoint/load.ts";
import { modelSource } from "../../src/checkpoint/source/index.ts";
import { requiredText } from "../../src/checkpoint/source/required-text.ts";
import { disposeModel } from "../../src/model/dispose.ts";

const SHIPPED = new URL("../../../../weights/shakespeare/", import.meta.url);
const device = createWasmBackend({ threads: 1 });
afterAll(() => device.dispose());
const PAGE = "<!DOCTYPE html>\n<html><head><title>App</title></head></html>";

/** A server of the Shakespeare model, which answers otherwise for some files. */
async function serve(otherwise: (name: string, response: ServerResponse, request: IncomingMessage) => boolean) {
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const name = new URL(request.url!, "http://localhost").pathname.slice("/model/".length);
    requests.push(name);
    if (otherwise(name, response, request)) return;
    const body = await readFile(new URL(name, SHIPPED)).catch(() => undefined);
    if (!body) return void response.writeHead(404).end();
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    if (from === undefined) return void response.end(body);
    const [start, end] = [Number(from), Math.min(Number(to), body.length - 1)];
    response.writeHead(206, { "content-range": `bytes ${start}-${end}/${body.length}` });
    response.end(body.subarray(start, end + 1));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/model`, requests };
}

/** Answers with the page of an application, as development servers do for what they do not find. */
const page = (response: ServerResponse, type: string | undefined = "text/html"): true => {
  response.writeHead(200, type === undefined ? {} : { "content-type": type }).end(PAGE);
  return true;
};

describe("a folder at a URL", () => {
  test("is loaded with few requests: its tensors' bytes come together", async () => {
    const { url, requests } = await serve(() => false);
    const model = await loadModel(await modelSource(url), { device });
    disposeModel(model);
    expect(requests.filter((name) => name === "model.safetensors").length).toBeLessThanOrEqual(4);
  });

  test.each([["text/html"], ["text/html; charset=utf-8"], [undefined]])(
    "does not have a file for which the server sends its page (%s)",
    async (type) => {
      const { url } = await serve(
        (name, response) => /index|generation|vocab|model/.test(name) && page(response, type),
      );
      const source = await modelSource(url);
      expect(await source.text("generation_config.json")).toBeUndefined();
      expect(await source.file("model.safetensors.index.json")).toBeUndefined();
      await expect(requiredText(source, "vocab.json")).rejects.toThrow(
        /^http:\/\/[^ ]*\/model\/vocab\.json: an HTML page, not the file: a server may answer so/,
      );
      await expect(loadModel(source, { device })).rejects.toThrow(
        /there is neither model\.safetensors nor .*; for model\.safetensors: an HTML page/,
      );
    },
  );

  test("has a file that only says it is a page", async () => {
    const { url } = await serve((name, response) => {
      response.setHeader("content-type", "text/html");
      return name === "never";
    });
    const source = await modelSource(url);
    disposeModel(await loadModel(source, { device }));
    expect(await source.text("merges.txt")).toContain("#version");
  });

  test.each([401, 403, 410])(
    "lacks a file that the server answers %i for; where it is needed, that is the error",
    async (status) => {
      const { url } = await serve((name, response) => {
        if (name !== "generation_config.json" && name !== "config.json") return false;
        response.writeHead(status).end();
        return true;
      });
      const source = await modelSource(url);
      expect(await source.text("generation_config.json")).toBeUndefined();
      await expect(requiredText(source, "config.json")).rejects.toThrow(
        new RegExp(`/config\\.json: the server answered ${status}`),
      );
    },
  );

  test("that is in trouble for a moment is asked again", async () => {
    let failures = 0;
    const { url } = await serve((name, response) => {
      if (name !== "config.json" || failures++ > 0) return false;
      response.writeHead(503).end();
      return true;
    });
    expect(await (await modelSource(url)).text("config.json")).toContain("n_embd");
    expect(failures).toBe(2);
  });

  test("that cannot be reached is an error that says why, without what may be secret", async () => {
    const { url } = await serve(() => false);
    const source = await modelSource(`${url}?sig=secret`);
    expect([source.name, source.path("config.json")]).toEqual([url, `${url}/config.json`]);
    for (const where of [
      "http://user:secret@no-such-host.invalid/m?sig=secret",
      "https://user:secret@127.0.0.1:1/?sig=secret",
    ]) {
      const error = await (await modelSource(where)).text("config.json").catch((error: unknown) => error as Error);
      expect(String(error)).toMatch(
        /^ModelFormatError: https?:\/\/[^ @?]+\/config\.json: cannot (find the host|connect)/,
      );
      expect(String(error)).not.toContain("secret");
    }
    const invalid = await modelSource("http://user:secret@a b/?sig=secret").catch((error: unknown) => error as Error);
    expect(String(invalid)).not.toContain("secret");
  });

  test("is a Git LFS pointer", async () => {
    const { url } = await serve((name, response) => {
      if (name !== "model.safetensors") return false;
      response.end("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n");
      return true;
    });
    await expect(loadModel(await modelSource(url), { device })).rejects.toThrow(
      /model\.safetensors: a Git LFS pointer/,
    );
  });
});
