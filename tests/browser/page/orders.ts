import * as checks from "./checks.ts";

export type Checks = typeof checks;

/** A check to run. */
export interface Order {
  readonly id: number;
  readonly name: keyof Checks;
  readonly args: readonly unknown[];
}

/** What came of it. */
export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: string };

const byName: Readonly<Record<string, unknown>> = { ...checks };

/** Runs a check. Never throws: a failure is an answer too. */
export async function carryOut({ id, name, args }: Order): Promise<Answer> {
  try {
    const check = byName[name] as (...args: unknown[]) => unknown;
    return { id, result: await check(...args) };
  } catch (error) {
    return { id, failure: error instanceof Error ? `${error.name}: ${error.message}\n${error.stack}` : String(error) };
  }
}
