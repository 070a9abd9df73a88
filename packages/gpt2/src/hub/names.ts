import { printable } from "@gpt2-ts/tensor/options";
import { HubError } from "./error.ts";

/** A commit of a hub repository: 40 lower-case hexadecimal digits. */
export const COMMIT_PATTERN = /^[0-9a-f]{40}$/;

const NAME_PART = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?$/;

/**
 * A model's name and the revision that may stand behind it, as in `gpt2@v1` (names have no `@`).
 *
 * @throws HubError `invalid-option` if `revision` is another one
 */
export function splitRevision(model: string, revision?: string): { name: string; revision: string | undefined } {
  const at = model.indexOf("@");
  if (at < 0) return { name: model, revision };
  const [name, named] = [model.slice(0, at), model.slice(at + 1)];
  if (revision === undefined || revision === named) return { name, revision: named };
  throw new HubError("invalid-option", `${quote(model)} names another revision than ${quote(revision)}`);
}

/**
 * Checks a model's name: `gpt2` or `org/name`, by the rules of `huggingface_hub` (letters, digits, `-`, `_`, `.`; at most 96
 * characters before and behind the slash; neither `--`, which the cache layout uses as its separator, nor `..`).
 *
 * @throws HubError `invalid-name`
 */
export function checkModelName(name: string): void {
  const parts = name.split("/");
  const valid = parts.length <= 2 && parts.every((part) => NAME_PART.test(part)) && !/--|\.\.|\.git$/.test(name);
  if (!valid) {
    throw new HubError("invalid-name", `${quote(name)} is not the name of a model on the hub`, {
      hint: 'expected "gpt2" or "org/name" with letters, digits, "-", "_" and "."; a revision may follow: "gpt2@main"',
    });
  }
}

/**
 * Checks a revision: a branch, a tag, `refs/pr/1` or a commit. It becomes a path below `refs/` in the cache.
 *
 * @throws HubError `invalid-name`
 */
export function checkRevision(revision: string): void {
  if (!isInnerPath(revision) || /[\s~^:?*[]|@\{|\.lock$/.test(revision)) {
    throw new HubError("invalid-name", `${quote(revision)} is not a revision`, {
      hint: "expected a branch, a tag or a commit",
    });
  }
}

/**
 * Checks the name of a file in a repository. Such names come from the server and become paths on disk, so nothing that
 * leaves the folder under POSIX or Windows rules passes.
 *
 * @throws HubError `invalid-name`
 */
export function checkFileName(file: string, source = "the request"): void {
  if (!isInnerPath(file)) {
    throw new HubError("invalid-name", `${source} names the file ${quote(file)}, which is not a safe relative path`, {
      file,
    });
  }
}

function isInnerPath(path: string): boolean {
  if (path.length === 0 || path.length > 1024) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not get through
  if (/[\\\u0000-\u001f\u007f]/.test(path)) return false;
  // A colon is a drive or an alternate data stream on Windows.
  return path.split("/").every((part) => part !== "" && part !== "." && part !== ".." && !part.includes(":"));
}

function quote(text: string): string {
  return printable(JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text));
}
