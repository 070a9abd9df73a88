import { showValue } from "@gpt2-ts/tensor/options";
import type { AddedToken } from "../tokenizer/added-token.ts";
import { TokenizerError } from "../tokenizer/errors.ts";
import type { TokenizerSettings } from "../tokenizer/tokenizer.ts";
import type { ModelSource } from "./source/index.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Throws a {@link TokenizerError} that names a field of the file. */
type Fail = (field: string, expected: string, found: unknown) => never;

/**
 * What the files beside a vocabulary say of the tokenizer, in the order in which `transformers` 5 adds tokens: those with ids, by id, and
 * then those that have a role, such as `pad_token`. `tokenizer_config.json` with an `added_tokens_decoder` says all of it; without one,
 * the two files of older versions are read too.
 */
export async function readTokenizerSettings(source: ModelSource): Promise<TokenizerSettings> {
  const read = (file: string) => readFields(source, file);
  const files = ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"] as const;
  const [[config, failConfig], [map, failMap], [added, failAdded]] = await Promise.all([
    read(files[0]),
    read(files[1]),
    read(files[2]),
  ]);
  const decoder = config["added_tokens_decoder"] ?? undefined;
  const listed: AddedToken[] = [];
  if (decoder === undefined) {
    for (const [content, id] of Object.entries(added)) listed.push({ content, id: checkedId(id, content, failAdded) });
  } else {
    for (const [id, token] of Object.entries(asFields(decoder, "added_tokens_decoder", failConfig))) {
      const field = `added_tokens_decoder.${id}`;
      listed.push({ ...addedToken(token, field, failConfig), id: checkedId(Number(id), field, failConfig) });
    }
  }
  listed.sort((a, b) => a.id! - b.id!);
  const roles = new Map([
    ...rolesIn(config, failConfig),
    ...(decoder === undefined ? rolesIn(map, failMap) : []), // the older file wins, as in transformers
  ]);
  const inOrder = [...roles].sort(([a], [b]) => rank(a) - rank(b));
  const special = inOrder.flatMap(([, tokens]) => tokens.map((token) => ({ ...token, special: true })));
  const prefix = config["add_prefix_space"] ?? undefined;
  if (prefix !== undefined && typeof prefix !== "boolean") failConfig("add_prefix_space", "true or false", prefix);
  return {
    addedTokens: [...listed, ...special],
    addPrefixSpace: prefix as boolean | undefined,
    endOfText: roles.get("eos_token")?.[0]?.content,
    startOfText: roles.get("bos_token")?.[0]?.content,
  };
}

/** A JSON object, empty if there is no such file, and what throws the errors of its fields. */
async function readFields(source: ModelSource, file: string): Promise<[Fields, Fail]> {
  const path = source.path(file);
  const text = await source.text(file);
  const fail: Fail = (part, expected, found) => {
    throw new TokenizerError(`expected ${expected}, found ${showValue(found)}`, { file: path, part });
  };
  if (text === undefined) return [{}, fail];
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new TokenizerError(`not valid JSON: ${(cause as Error).message}`, { file: path });
  }
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return [json as Fields, fail];
  throw new TokenizerError(`expected a JSON object, found ${showValue(json)}`, { file: path });
}

function asFields(value: unknown, field: string, fail: Fail): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  return fail(field, "an object", value);
}

function checkedId(id: unknown, field: string, fail: Fail): number {
  return Number.isSafeInteger(id) && (id as number) >= 0 ? (id as number) : fail(field, "an id", id);
}

/** A token as its text, or as an object that also says how it is found. */
function addedToken(value: unknown, field: string, fail: Fail): AddedToken {
  if (typeof value === "string") return { content: value };
  const token = asFields(value, field, fail);
  const { content } = token as { content?: unknown };
  if (typeof content !== "string") return fail(`${field}.content`, "a text", content);
  const is = (name: string): boolean | undefined => {
    const flag = token[name] ?? undefined;
    return flag === undefined || typeof flag === "boolean" ? flag : fail(`${field}.${name}`, "true or false", flag);
  };
  return {
    content,
    special: is("special"),
    singleWord: is("single_word"),
    lstrip: is("lstrip"),
    rstrip: is("rstrip"),
    normalized: is("normalized"),
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
function* rolesIn(fields: Fields, fail: Fail): Generator<[role: string, tokens: AddedToken[]]> {
  for (const [role, value] of Object.entries(fields)) {
    if (LISTS.includes(role)) {
      const tokens = typeof value === "object" && value !== null ? Object.values(value) : [];
      yield [role, tokens.map((token, i) => addedToken(token, `${role}.${i}`, fail))];
    } else if (
      role.endsWith("_token") &&
      (typeof value === "string" || (typeof value === "object" && value !== null))
    ) {
      yield [role, [addedToken(value, role, fail)]];
    }
  }
}
