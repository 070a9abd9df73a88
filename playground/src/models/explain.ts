import { HubError, ModelFormatError } from "@gpt2-ts/gpt2";
import { WorkerError } from "@gpt2-ts/gpt2/worker";
import { megabytes } from "../format.ts";
import type { Failure, ModelChoice } from "../state.ts";

/** A way on after a failure. */
export interface WayOn {
  readonly label: string;
  /** What is loaded then; undefined: the page of models is shown. */
  readonly choice?: ModelChoice;
}

/** What a failure means for the reader, and what can be done. */
export interface Explanation {
  readonly said: string;
  readonly ways: readonly WayOn[];
}

export function explain({ error, choice, title }: Failure): Explanation {
  const again: WayOn = { label: "Try again", choice };
  const others: WayOn = { label: "Choose another model" };
  if (error instanceof HubError) return ofHub(error, choice, title, again, others);
  if (error instanceof WorkerError) {
    return {
      said: `The model could not be kept in memory, or its worker did not start: ${error.message}. A smaller dtype takes less.`,
      ways: [again, others],
    };
  }
  if (error instanceof ModelFormatError) return { said: `These files are no GPT-2: ${error.message}.`, ways: [others] };
  return { said: `${error.message}.`.replace(/([.!?])\.$/, "$1"), ways: [again, others] };
}

function ofHub(error: HubError, choice: ModelChoice, title: string, again: WayOn, others: WayOn): Explanation {
  switch (error.code) {
    case "repo-not-found":
    case "invalid-name":
      return {
        said: `The Hub has no model called “${title}”, or shows it to its owners only. Names look like openai-community/gpt2.`,
        ways: [others],
      };
    case "gated":
    case "unauthorized":
      return {
        said: `“${title}” is shown only to those who are logged in at the Hub, which this page is not.`,
        ways: [others],
      };
    case "unreachable":
    case "connection-lost":
    case "stalled":
      return {
        said: `The connection failed: ${error.message}. What came already is kept, and the download goes on from there.`,
        ways: [again, others],
      };
    case "file-system":
      return { said: `${error.message}.`, ways: [again, ...keepless(choice), others] };
    case "disk-full": {
      const needs = error.needed === undefined ? "" : ` It needs ${megabytes(error.needed)} more.`;
      return {
        said: `This browser lets the page keep no more.${needs} Delete models below, or load this one without keeping it.`,
        ways: [...keepless(choice), others],
      };
    }
    default:
      return { said: error.message, ways: [again, others] };
  }
}

function keepless(choice: ModelChoice): WayOn[] {
  return choice.from === "hub" ? [{ label: "Load it without keeping it", choice: { ...choice, keep: false } }] : [];
}
