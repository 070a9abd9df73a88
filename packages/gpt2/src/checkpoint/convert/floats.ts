import type { Dtype } from "safetensors-ts";

/** Whether weights may be stored so: what is read as float32. */
export function isFloat(dtype: Dtype): boolean {
  return dtype === "F32" || dtype === "F16" || dtype === "BF16" || dtype === "F64";
}
