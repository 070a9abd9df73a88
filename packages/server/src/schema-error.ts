import { showName, showValue } from "@gpt2-ts/tensor/options";
import type { FastifySchemaValidationError } from "fastify";
import { type ApiError, badRequest } from "./api-error.ts";

/** What a schema finds wrong first. */
export function schemaError(errors: readonly FastifySchemaValidationError[]): ApiError {
  const [{ instancePath, keyword, params, message = "is not valid", ...more }] = errors as [
    FastifySchemaValidationError,
  ];
  const place = instancePath.slice(1).replaceAll("/", ".");
  if (keyword === "additionalProperties") {
    const name = showName(String(params["additionalProperty"]));
    const param = place === "" ? name : `${place}.${name}`;
    return badRequest(`there is no parameter ${showValue(param)} here`, param, "unknown_parameter");
  }
  if (keyword === "required") {
    const param = String(params["missingProperty"]);
    return badRequest(`${param} is missing`, param, "missing_parameter");
  }
  const { data } = more as { data?: unknown };
  if (place === "") return badRequest(`expected a JSON object, got ${showValue(data)}`);
  return badRequest(`${place} ${message}, got ${showValue(data)}`, place, "invalid_value");
}
