// Elementary functions in float64, written here because Math.exp and the like differ between JavaScript engines, and a
// result must not. (Math.sqrt, fround, floor, round and trunc are exact everywhere.)
export { drawIndex } from "./math/draw.ts";
export { erf, erfc } from "./math/erf.ts";
export { exp, expInPlace, expm1 } from "./math/exp.ts";
export { geluErf, geluTanh, quickGelu, silu } from "./math/gelu.ts";
export { log, log1p } from "./math/log.ts";
export { pow } from "./math/pow.ts";
export { roundHalfEven } from "./math/round.ts";
export { sigmoid, tanh } from "./math/tanh.ts";
export { cos, sin } from "./math/trigonometry.ts";
