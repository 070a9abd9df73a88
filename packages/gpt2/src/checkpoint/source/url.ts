import { type Answer, displayUrl, retrying, send, statusError, TransportError } from "safetensors-ts/transport";
import { ModelFormatError } from "../../errors.ts";
import { foreignContent, HTML_PAGE, isHtml } from "./foreign-content.ts";
import type { ModelSource } from "./source.ts";

/** Answers of a server for a file that it does not have, or does not show. */
const ABSENT = new Set([401, 403, 404, 410]);
/** Far more than any vocabulary has. */
const MAX_TEXT_BYTES = 64 * 2 ** 20;
/** Enough of a file to see what it is. */
const BEGINNING_BYTES = 512;

/** The folder at an `http(s)` URL. */
export function urlSource(folder: URL, signal: AbortSignal | undefined): ModelSource {
  const stallTimeout = Number(globalThis.process?.env?.["HF_HUB_DOWNLOAD_TIMEOUT"]) * 1000 || undefined;
  const absences = new Map<string, string>();
  const at = (file: string): URL => {
    const url = new URL(folder);
    url.pathname = `${url.pathname.replace(/\/+$/, "")}/${file}`;
    return url;
  };
  const path = (file: string): string => displayUrl(at(file));
  const absent = (name: string, reason: string): undefined => void absences.set(name, reason);
  /** What `read` makes of the answer; undefined if the server does not have the file. */
  const request = <Result>(
    name: string,
    headers: Record<string, string>,
    read: (answer: Answer) => Promise<Result | undefined>,
  ): Promise<Result | undefined> =>
    retrying({ signal }, async () => {
      let answer: Answer | undefined;
      try {
        answer = await send(at(name), { headers, signal, stallTimeout });
        if (answer.response.ok) return await read(answer);
        const error = statusError(answer);
        if (!ABSENT.has(answer.response.status)) throw error;
        return absent(name, answer.response.status === 404 ? "there is no such file" : error.message);
      } catch (cause) {
        if (!(cause instanceof TransportError)) throw cause;
        throw new ModelFormatError(path(name), cause.message, undefined, { cause });
      } finally {
        answer?.close();
      }
    });
  /** A server that answers with a page does not have the file: development servers do so for all that they do not find. */
  const pageOf = ({ response }: Answer, beginning: string): string | undefined =>
    isHtml(beginning, response.headers.get("content-type")) ? HTML_PAGE : undefined;

  return {
    name: displayUrl(folder),
    path,
    absence: (file) => absences.get(file),
    stallTimeout,
    // Asks for its first bytes, because the signed URLs that hubs redirect to refuse HEAD.
    file: (name) =>
      request(name, { range: `bytes=0-${BEGINNING_BYTES - 1}` }, async (answer) => {
        const beginning = new TextDecoder().decode((await answer.next())?.subarray(0, BEGINNING_BYTES));
        const page = pageOf(answer, beginning);
        if (page !== undefined) return absent(name, page);
        const foreign = foreignContent(beginning);
        if (foreign !== undefined) throw new ModelFormatError(path(name), foreign);
        return at(name);
      }),
    text: (name) =>
      request(name, {}, async (answer) => {
        const text = new TextDecoder().decode(await answer.bytes(MAX_TEXT_BYTES));
        const page = pageOf(answer, text);
        return page === undefined ? text : absent(name, page);
      }),
  };
}
