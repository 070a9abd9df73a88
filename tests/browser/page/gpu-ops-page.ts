// As gpu-page.ts, with the ops of the tensor package's tests beside it.
import { carryOutOneOf } from "./carry-out.ts";
import * as checks from "./gpu-checks.ts";
import { ops } from "./gpu-ops.ts";

globalThis.carryOutOrder = (order) => carryOutOneOf({ ...checks, ops }, order);
