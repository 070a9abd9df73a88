import { OptionError } from "@gpt2-ts/tensor/options";

/** Which special tokens `encode` looks for: none, all, or those named. */
export type AllowedSpecial = "none" | "all" | Iterable<string>;

/** A part of a text: ordinary text, or the id of a special token. */
export type TextPart = string | number;

/**
 * Splits a text at the special tokens that are allowed in it; where two match, at the longer one.
 * @throws OptionError if one that is named is not a special token
 */
export function splitAtSpecialTokens(
  text: string,
  specialTokens: ReadonlyMap<string, number>,
  allowed: AllowedSpecial,
): TextPart[] {
  const tokens = allowedTokens(specialTokens, allowed);
  if (tokens.length === 0) return [text];
  const longestFirst = tokens.sort((a, b) => b.length - a.length).map(escapeForPattern);
  // Splitting at a group keeps what it matched: text, token, text, token, …, text.
  const parts = text.split(new RegExp(`(${longestFirst.join("|")})`));
  return parts.map((part, i) => (i % 2 === 1 ? specialTokens.get(part)! : part)).filter((part) => part !== "");
}

/**
 * The special tokens that are allowed, by name.
 * @throws OptionError if one that is named is not a special token
 */
export function allowedTokens(specialTokens: ReadonlyMap<string, number>, allowed: AllowedSpecial): string[] {
  if (allowed === "none") return [];
  if (allowed === "all") return [...specialTokens.keys()];
  if (typeof allowed === "string") {
    throw new OptionError(
      "allowedSpecial",
      `expected "none", "all" or a list of tokens, got ${JSON.stringify(allowed)}`,
    );
  }
  return [...allowed].map((token) => {
    if (specialTokens.has(token)) return token;
    throw new OptionError("allowedSpecial", `${JSON.stringify(token)} is not a special token`);
  });
}

function escapeForPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
