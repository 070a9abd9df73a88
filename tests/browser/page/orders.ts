import * as cacheChecks from "./cache-checks.ts";
import { type Answer, carryOutOneOf, type Order } from "./carry-out.ts";
import * as mainChecks from "./checks.ts";

const checks = { ...mainChecks, ...cacheChecks };

export type { Answer, Order };
export type Checks = typeof checks;

export function carryOut(order: Order): Promise<Answer> {
  return carryOutOneOf(checks, order);
}
