/** A check to run. */
export interface Order {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** What came of it. */
export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failure: string };

/** Runs one of these checks. Never throws: a failure is an answer too. */
export async function carryOutOneOf(checks: object, { id, name, args }: Order): Promise<Answer> {
  try {
    const check = (checks as Readonly<Record<string, unknown>>)[name] as (...args: unknown[]) => unknown;
    return { id, result: await check(...args) };
  } catch (error) {
    return { id, failure: error instanceof Error ? `${error.name}: ${error.message}\n${error.stack}` : String(error) };
  }
}
