import { DeviceError, DisposedError, DTypeError, ShapeMismatchError } from "@gpt2-ts/tensor/errors";
import { OptionError } from "@gpt2-ts/tensor/options";
import { SafetensorsError } from "safetensors-ts";
import { expect, test } from "vitest";
import { ContextLengthError, HubError, ModelFormatError, TokenIdError, TokenizerError } from "../../src/index.ts";
import { WorkerError } from "../../src/worker/index.ts";
import { receivedError, sentError } from "../../src/worker/sent-error.ts";

const overTheLine = (thrown: unknown): Error => receivedError(structuredClone(sentError(thrown)));

test.each([
  new OptionError("topK", "expected an integer"),
  new ShapeMismatchError("add", "shapes differ"),
  new DTypeError("add", "no bools"),
  new DeviceError("wasm", "out of memory", { cause: new RangeError("grow") }),
  new DisposedError(),
  new ContextLengthError(5, 3),
  new TokenIdError(-1, 2, 10),
  new ModelFormatError("config.json", "n_head is 0", "n_head", { cause: new SyntaxError("line 1") }),
  new TokenizerError("twice", { file: "vocab.json", token: "a", id: 3 }),
  new HubError("rate-limited", "too many requests", { status: 429, retryAfter: 3, hint: "wait" }),
  new SafetensorsError("http-status" as never, "404", { file: "x", tensor: "y", cause: new Error("z") }),
  new WorkerError("it ended"),
  new TypeError("no"),
  new Error("plain"),
  Object.assign(new Error("ENOENT: no such file"), { code: "ENOENT", errno: -2, path: "x" }),
  new DOMException("aborted", "AbortError"),
])("%s arrives as what it was", (error) => {
  const received = overTheLine(error);
  expect(received.constructor).toBe(error.constructor);
  expect(received.name).toBe(error.name);
  expect(received.message).toBe(error.message);
  expect(Object.entries(received)).toEqual(Object.entries(error));
  expect(String(received.cause)).toBe(String(error.cause));
  if (!(error instanceof DOMException)) expect(received.stack).toBe(error.stack);
});

test("what cannot be sent of an error is left behind, and what is no error becomes one", () => {
  const error = Object.assign(new RangeError("x"), { size: 3, retry: () => {} });
  expect(overTheLine(error)).toEqual(Object.assign(new RangeError("x"), { size: 3 }));
  expect(overTheLine("just words")).toEqual(new Error("just words"));
  class Custom extends Error {
    override readonly name = "Custom";
  }
  expect(overTheLine(new Custom("x"))).toMatchObject({ name: "Custom", message: "x" });
  const circular = new Error("a");
  circular.cause = circular;
  expect(overTheLine(circular)).toMatchObject({ cause: { message: "a" } });
});
