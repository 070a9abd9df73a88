import shipped from "../../shipped.json" with { type: "json" };
import type { ModelChoice } from "../state.ts";

export type Shipped = ModelChoice & { readonly from: "page"; readonly about: string };

/** The models that lie beside the page; the first is there when no other is asked for. */
export const SHIPPED: readonly Shipped[] = shipped.map((model) => ({ from: "page", ...model }));
