import { SafetensorsError } from "safetensors-ts";
import { expect } from "vitest";

/** The SafetensorsError that `action` throws or rejects with; anything else fails the test. */
export async function errorOf(action: () => unknown): Promise<SafetensorsError> {
  let thrown: unknown;
  try {
    await action();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(SafetensorsError);
  return thrown as SafetensorsError;
}
