/** Deeper than any file of a model or answer of a hub goes, and far from the end of the stack. */
export const DEEPEST = 64;

/**
 * Whether JSON nests deeper than anything that is read here. `JSON.parse` would take it, with fifty times its size in memory: for a
 * text of nothing but brackets that is gigabytes.
 */
export function nestsTooDeep(json: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (isInString) {
      if (character === "\\") i++;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === "[" || character === "{") {
      if (++depth > DEEPEST) return true;
    } else if (character === "]" || character === "}") depth--;
  }
  return false;
}
