import { type Answer, carryOutOneOf, type Order } from "./carry-out.ts";
import * as checks from "./checks.ts";

export type { Answer, Order };
export type Checks = typeof checks;

export function carryOut(order: Order): Promise<Answer> {
  return carryOutOneOf(checks, order);
}
