// What is said between a GPT2Worker and its thread. Every call is a stream of items that ends in a result: the caller grants so
// many items as it has room for, and the thread works no further ahead.

/** To the thread. */
export type Request =
  /** Some of the items that a call is going to be about, so that no single message is long. */
  | { readonly type: "bring"; readonly id: number; readonly items: readonly unknown[] }
  | { readonly type: "call"; readonly id: number; readonly call: Call }
  /** There is room for one more item. */
  | { readonly type: "more"; readonly id: number }
  /** The signal of one of the items that a call is about was aborted. */
  | { readonly type: "abort"; readonly id: number; readonly index: number }
  /** Nobody waits for this call any more. */
  | { readonly type: "stop"; readonly id: number };

/** From the thread. */
export type Reply =
  | { readonly type: "item"; readonly id: number; readonly item: unknown }
  | { readonly type: "done"; readonly id: number; readonly value: unknown }
  | { readonly type: "failed"; readonly id: number; readonly error: unknown }
  /** A function among the options was called. */
  | { readonly type: "called"; readonly id: number; readonly option: string; readonly argument: unknown };

/** A call, as it is sent. */
export interface Call {
  readonly method: string;
  /** The text, place or name that it is about, unless it is about the items that were brought. */
  readonly subject: unknown;
  readonly brought: boolean;
  readonly options: unknown;
  /** The names of the options that are functions: they stay behind. */
  readonly functions: readonly string[];
  /** Items that there is room for at first. */
  readonly room: number;
}

/** Items under way or waiting to be looked at, so that the thread need not wait for the reader of each. */
export const ROOM = 2;
