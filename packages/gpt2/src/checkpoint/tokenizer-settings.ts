import { showValue } from "@gpt2-ts/tensor/options";
import { parsePythonJson } from "../model/python-json.ts";
import type { AddedToken } from "../tokenizer/added-token.ts";
import { TokenizerError } from "../tokenizer/errors.ts";
import type { TokenizerSettings } from "../tokenizer/settings.ts";
import { END_OF_TEXT } from "../tokenizer/vocabulary.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The text of a file, and what messages call it. */
export interface SettingsFile {
  readonly path: string;
  /** Undefined if there is no such file. */
  readonly text: string | undefined;
}

/**
 * What the files beside a vocabulary say of the tokenizer, in the order in which `transformers` 5 adds tokens: those with ids, by id,
 * and then those that have a role, such as `pad_token`. `tokenizer_config.json` with an `added_tokens_decoder` says all of it; without
 * one, the two files of older versions are read too.
 *
 * @throws TokenizerError naming the file and the field
 */
export function readTokenizerSettings(
  config: SettingsFile,
  specialTokensMap: SettingsFile,
  addedTokens: SettingsFile,
): TokenizerSettings {
  const fields = fieldsOf(config);
  const inConfig = fields["added_tokens_decoder"] ?? undefined;
  const roles = new Map(rolesIn(fields, config));
  const listed: AddedToken[] = [];
  if (inConfig !== undefined) {
    for (const [id, value] of Object.entries(asFields(inConfig, config, "added_tokens_decoder"))) {
      const field = `added_tokens_decoder.${id}`;
      listed.push({ ...addedToken(value, config, field), id: checkedId(Number(id), config, field) });
    }
  } else {
    for (const [role, tokens] of rolesIn(fieldsOf(specialTokensMap), specialTokensMap)) roles.set(role, tokens);
    for (const [content, id] of Object.entries(fieldsOf(addedTokens))) {
      listed.push({ content, id: checkedId(id, addedTokens, showValue(content)) });
    }
  }
  listed.sort((a, b) => a.id! - b.id!);
  const special = [...roles]
    .sort(([a], [b]) => rank(a) - rank(b))
    .flatMap(([, tokens]) => tokens.map((token) => ({ ...token, special: true })));
  return {
    addedTokens: [...listed, ...special],
    addPrefixSpace: flag(fields, config, "add_prefix_space"),
    endOfText: roles.get("eos_token")?.[0]?.content ?? END_OF_TEXT,
    startOfText: roles.get("bos_token")?.[0]?.content,
  };
}

/** The order in which tokens with a role are added: these, then any other role, then the lists. */
const ROLES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];
const LISTS = ["additional_special_tokens", "extra_special_tokens"];

function rank(role: string): number {
  const known = ROLES.indexOf(role);
  return known >= 0 ? known : ROLES.length + (LISTS.includes(role) ? 1 : 0);
}

/** The tokens that have a role: `eos_token` and the like, and the lists of others that are special. */
function* rolesIn(fields: Fields, file: SettingsFile): Generator<[role: string, tokens: AddedToken[]]> {
  for (const [role, value] of Object.entries(fields)) {
    const isNamed = typeof value === "string" || (typeof value === "object" && value !== null);
    if (!isNamed) continue; // null, or a flag such as `add_bos_token`
    if (LISTS.includes(role)) {
      yield [role, Object.values(value).map((token, i) => addedToken(token, file, `${role}.${i}`))];
    } else if (role.endsWith("_token")) {
      yield [role, [addedToken(value, file, role)]];
    }
  }
}

/** A token as its text, or as an object that also says how it is found. */
function addedToken(value: unknown, file: SettingsFile, field: string): AddedToken {
  if (typeof value === "string") return { content: value };
  const token = asFields(value, file, field);
  const { content } = token as { content?: unknown };
  if (typeof content !== "string") throw unexpected(file, `${field}.content`, "a text", content);
  const is = (name: string): boolean | undefined => flag(token, file, name, `${field}.`);
  return {
    content,
    special: is("special"),
    singleWord: is("single_word"),
    lstrip: is("lstrip"),
    rstrip: is("rstrip"),
    normalized: is("normalized"),
  };
}

/** The object that a file holds; empty if there is no such file. */
function fieldsOf({ path, text }: SettingsFile): Fields {
  let json: unknown = {};
  try {
    if (text !== undefined) json = parsePythonJson(text); // a `model_max_length` may be Infinity
  } catch (cause) {
    throw new TokenizerError(`not valid JSON: ${(cause as Error).message}`, { file: path });
  }
  if (isObject(json)) return json;
  throw new TokenizerError(`expected a JSON object, found ${showValue(json)}`, { file: path });
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asFields(value: unknown, file: SettingsFile, field: string): Fields {
  if (isObject(value)) return value;
  throw unexpected(file, field, "an object", value);
}

function checkedId(id: unknown, file: SettingsFile, field: string): number {
  if (Number.isSafeInteger(id) && (id as number) >= 0) return id as number;
  throw unexpected(file, field, "an id", id);
}

function flag(fields: Fields, file: SettingsFile, field: string, path = ""): boolean | undefined {
  const value = fields[field] ?? undefined;
  if (value === undefined || typeof value === "boolean") return value;
  throw unexpected(file, path + field, "true or false", value);
}

function unexpected({ path }: SettingsFile, part: string, expected: string, found: unknown): TokenizerError {
  return new TokenizerError(`expected ${expected}, found ${showValue(found)}`, { file: path, part });
}
