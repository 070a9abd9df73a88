import { join, posix, win32 } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { fileSystemError } from "../../src/hub/file-system-error.ts";
import { downloadModel, findCachedModel, HubError, hubFileUrl } from "../../src/hub/index.ts";
import { checkFileName, checkModelName, checkRevision } from "../../src/hub/names.ts";
import { parseRetryAfter } from "../../src/hub/retry.ts";

const accepts = (check: () => void): boolean => {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof HubError && error.code === "invalid-name") return false;
    throw error;
  }
};

describe("names from outside", () => {
  it.each(["gpt2", "openai-community/gpt2", "a_b/c.d-e", "123", "x".repeat(96), `${"o".repeat(96)}/${"x".repeat(96)}`])(
    "%s is a model",
    (name) => {
      expect(accepts(() => checkModelName(name))).toBe(true);
    },
  );

  it.each([
    "",
    "..",
    "../gpt2",
    "a/..",
    "/gpt2",
    "gpt2/",
    "a/b/c",
    "a--b",
    "a b",
    "a\\b",
    "a.git",
    "~",
    "é",
    ".a",
    "x".repeat(97),
    `org/${"x".repeat(97)}`,
    `${"o".repeat(97)}/x`,
  ])("%j is no model, and neither call takes it", async (name) => {
    expect(accepts(() => checkModelName(name))).toBe(false);
    await expect(downloadModel(name)).rejects.toBeInstanceOf(HubError);
    await expect(findCachedModel(name)).rejects.toBeInstanceOf(HubError);
  });

  it("show what a terminal would obey as escapes", () => {
    const strange = "a\u001b[31m\u009b2J\u202eb";
    const shown = String.raw`"a\u001b[31m\u009b2J\u202eb"`;
    expect(() => checkModelName(strange)).toThrow(`${shown} is not the name of a model`);
    expect(() => checkRevision(strange)).toThrow(`${shown} is not a revision`);
    expect(() => checkFileName(strange, "the hub")).toThrow(shown);
  });

  it.each(["main", "refs/pr/1", "v1.0", "0123456789abcdef0123456789abcdef01234567"])("%s is a revision", (name) => {
    expect(accepts(() => checkRevision(name))).toBe(true);
  });

  it.each(["", "../x", "a/../../b", "/main", "a//b", "a b", "a\n", "main?x", "C:x", "a\\..\\b"])(
    "%j is no revision",
    (name) => {
      expect(accepts(() => checkRevision(name))).toBe(false);
    },
  );

  it("no accepted file name or revision leaves its folder, under POSIX or Windows rules", () => {
    const piece = fc.oneof(fc.constantFrom("..", ".", "/", "\\", "C:", "a", "~", "\0", "//", " "), fc.string());
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join("")),
        (name) => {
          for (const check of [checkFileName, checkRevision]) {
            if (!accepts(() => check(name))) continue;
            expect(posix.join("/base", name).startsWith("/base/")).toBe(true);
            expect(win32.join("D:\\base", name).startsWith("D:\\base\\")).toBe(true);
            expect(win32.resolve("D:\\base", name).startsWith("D:\\base\\")).toBe(true);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("a file's URL is escaped part by part, for any endpoint", () => {
    expect(hubFileUrl("gpt2", "model.safetensors")).toBe("https://huggingface.co/gpt2/resolve/main/model.safetensors");
    expect(hubFileUrl("a/b", "x y/#.json", "refs/pr/1", "http://localhost:1/hub/")).toBe(
      "http://localhost:1/hub/a/b/resolve/refs%2Fpr%2F1/x%20y/%23.json",
    );
    expect(() => hubFileUrl("gpt2", "../secret")).toThrow(HubError);
  });
});

describe("small parts", () => {
  it("Retry-After is read as seconds or as a date", () => {
    expect(parseRetryAfter(null)).toBeUndefined();
    expect(parseRetryAfter("7")).toBe(7);
    expect(parseRetryAfter("soon")).toBeUndefined();
    vi.useFakeTimers({ now: 1_000_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect(parseRetryAfter(new Date(1_005_000).toUTCString())).toBe(5);
    expect(parseRetryAfter(new Date(0).toUTCString())).toBe(0);
  });

  it("a full disk, met while writing, says so in words", () => {
    const path = join("cache", "blob");
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
      code: "ENOSPC",
      syscall: "write",
    });
    expect(fileSystemError(full, path)).toMatchObject({ code: "disk-full", file: path });
    const other = new RangeError("x");
    expect(fileSystemError(other, path)).toBe(other);
  });
});
