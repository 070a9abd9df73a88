import { fileURLToPath } from "node:url";

/** A path inside the repository. */
export function repository(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}
