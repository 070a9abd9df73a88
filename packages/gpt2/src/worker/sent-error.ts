import { DeviceError, DisposedError, DTypeError, ShapeMismatchError } from "@gpt2-ts/tensor/errors";
import { OptionError } from "@gpt2-ts/tensor/options";
import { SafetensorsError } from "safetensors-ts";
import { TransportError } from "safetensors-ts/transport";
import { ContextLengthError, ModelFormatError, TokenIdError } from "../errors.ts";
import { HubError } from "../hub/error.ts";
import { TokenizerError } from "../tokenizer/errors.ts";
import { WorkerError } from "./worker-error.ts";

/** An error between threads: what structured clones lose is its class, and what its class added. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Its own properties, as far as they can be sent. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: SentError | undefined;
}

/** By names that no minifier changes: those of the classes may differ between the two threads' files. */
const classes: Readonly<Record<string, { readonly prototype: object }>> = {
  ...{ OptionError, ShapeMismatchError, DTypeError, DeviceError, DisposedError },
  ...{ ContextLengthError, ModelFormatError, TokenIdError, TokenizerError, HubError, WorkerError },
  ...{ SafetensorsError, TransportError },
  ...{ TypeError, RangeError, SyntaxError, ReferenceError },
};

/** Causes of causes that are sent. */
const DEEPEST = 8;

/** What is thrown, to be sent. */
export function sentError(thrown: unknown, depth = 0): SentError {
  const { name, message, stack, cause } = thrown instanceof Error ? thrown : new Error(String(thrown));
  const fields: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(thrown instanceof Error ? thrown : {})) {
    if (field !== "cause" && canBeSent(value)) fields[field] = value;
  }
  return {
    name: nameOfClass(thrown) ?? name,
    message,
    stack,
    fields,
    cause: cause === undefined || depth === DEEPEST ? undefined : sentError(cause, depth + 1),
  };
}

/** The error that it was, of the same class. Its stack is the thread's. */
export function receivedError({ name, message, stack, fields, cause: sent }: SentError): Error {
  const cause = sent && receivedError(sent);
  if (name === "AbortError" || name === "TimeoutError") return new DOMException(message, name);
  const error = new Error(message, cause && { cause });
  if (Object.hasOwn(classes, name)) Object.setPrototypeOf(error, classes[name]!.prototype);
  else if (name !== "Error") Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  if (stack !== undefined) Object.defineProperty(error, "stack", { value: stack, configurable: true, writable: true });
  return Object.assign(error, fields);
}

function nameOfClass(thrown: unknown): string | undefined {
  const prototype: unknown = typeof thrown === "object" && thrown !== null ? Object.getPrototypeOf(thrown) : undefined;
  return Object.keys(classes).find((name) => classes[name]!.prototype === prototype);
}

function canBeSent(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
