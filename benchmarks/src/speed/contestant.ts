import type { EngineSpec } from "../engines/language-engine.ts";
import { Child } from "../harness/child.ts";

const LANGUAGE_CHILD = new URL("../engines/language-child.js", import.meta.url);

/** An engine and the name it has in the tables. */
export interface Contestant<Spec = EngineSpec> {
  readonly name: string;
  readonly spec: Spec;
}

/** The process of an engine, which loads its model at once. */
export function startEngine({ name, spec }: Contestant, node: string): Child {
  return new Child(name, { module: LANGUAGE_CHILD, args: [JSON.stringify(spec)], node });
}
