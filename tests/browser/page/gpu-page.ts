// The page that checks of the gpu device run in: driven by functions that a driver calls.
import { carryOutOneOf } from "./carry-out.ts";
import * as checks from "./gpu-checks.ts";

globalThis.carryOutOrder = (order) => carryOutOneOf(checks, order);
