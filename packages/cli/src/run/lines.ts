import { on } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { inputChunks } from "../input.ts";
import { inputLines, LONGEST_LINE } from "../input-lines.ts";
import { decodeStrictly } from "../utf8.ts";

/** A line that someone wrote. */
export interface Line {
  readonly text: string;
  /** What messages call it. */
  readonly name: string;
}

/** Lines of standard input, which is no terminal. Throws an Error for what is not UTF-8. */
export async function* pipedLines(signal: AbortSignal): AsyncGenerator<Line, void> {
  for await (const lines of inputLines(inputChunks(signal))) {
    for (const { number, bytes } of lines) {
      const name = `line ${number}`;
      if (bytes === undefined) throw new Error(`${name}: it is longer than ${LONGEST_LINE} bytes`);
      yield { name, text: decodeStrictly(bytes, name).replace(/\r$/, "") };
    }
  }
}

/** A terminal, and what Ctrl-C at it means. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream;
  /** Where the prompt and what is typed are shown. */
  readonly output: NodeJS.WritableStream;
  /** Stops what goes on. @returns whether something did */
  stop(): boolean;
  /** Ends all. */
  leave(): void;
}

/** Lines typed at a terminal, which may be edited, with a history. What is typed ahead waits for its turn. */
export async function* typedLines(terminal: Terminal, signal: AbortSignal): AsyncGenerator<Line, void> {
  const { input, output } = terminal;
  const editor = createInterface({ input, output, terminal: true, prompt: "> ", historySize: 1000 });
  editor.on("SIGINT", () => {
    if (terminal.stop()) return;
    if (editor.line === "") terminal.leave();
    else clear(editor);
  });
  let closed = false;
  editor.once("close", () => {
    closed = true;
  });
  let atPrompt = true;
  try {
    const lines = on(editor, "line", { close: ["close"], signal });
    editor.prompt();
    for await (const [text] of lines) {
      atPrompt = false;
      yield { name: "this line", text: text as string };
      if (closed) continue; // there may be lines that were typed ahead
      editor.prompt(true); // keeps what was typed of the next one
      atPrompt = true;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    editor.close();
    if (atPrompt) output.write("\n");
  }
}

/** Forgets what is typed in the current line. */
function clear(editor: Interface): void {
  editor.write(null, { ctrl: true, name: "e" });
  editor.write(null, { ctrl: true, name: "u" });
}
