import { checkGenerateOptions, OptionError } from "@gpt2-ts/gpt2";
import { flagOf } from "../report.ts";
import { type SamplingFlags, samplingNames, samplingSettings } from "../sampling-options.ts";

/** What `/NAME VALUE` may change in `gpt2 run`: the options of `gpt2 generate`. */
export const settingsHelp = samplingNames
  .map((name) => [`/${flagOf(name)} ${samplingSettings[name].value ?? "on"}`, samplingSettings[name].help] as const)
  .map(([usage, help]) => `  ${usage.padEnd(30)} ${help}\n`)
  .join("");

/**
 * The settings after `/NAME VALUE`. The value `default` takes a setting back; one that begins with a quotation mark is a string of
 * JSON, for line breaks.
 *
 * @throws OptionError
 */
export function withSetting(settings: SamplingFlags, flag: string, value: string): SamplingFlags {
  const name = nameOf(flag);
  const { [name]: before, ...others } = settings;
  if (value === "default") return others;
  const changed = { ...settings, [name]: parsed(name, value, before) };
  checkGenerateOptions(changed);
  return changed;
}

/** What is set, as lines that would set it. */
export function describeSettings(settings: SamplingFlags): string {
  const lines = samplingNames.flatMap((name) => {
    const value = settings[name];
    if (value === undefined) return [];
    const values = value instanceof Map ? Array.from(value, ([id, bias]) => `${id}=${bias}`) : [value].flat();
    return values.map((each) => `/${flagOf(name)} ${typeof each === "boolean" ? "on" : quoted(String(each))}\n`);
  });
  return lines.join("") || "nothing is set\n";
}

function nameOf(flag: string): keyof SamplingFlags {
  const name = samplingNames.find((known) => flagOf(known) === flag);
  if (name !== undefined) return name;
  throw new OptionError(flag, "there is no such command or setting; /help lists them");
}

function parsed(name: keyof SamplingFlags, text: string, before: SamplingFlags[keyof SamplingFlags]): unknown {
  const { parse } = samplingSettings[name] as { readonly parse?: (text: string, before?: unknown) => unknown };
  if (parse === undefined) {
    if (text !== "on" && text !== "off") throw new OptionError(name, `expected on or off, got ${JSON.stringify(text)}`);
    return text === "on";
  }
  try {
    return parse(text.startsWith('"') ? String(JSON.parse(text)) : text, before);
  } catch (error) {
    throw new OptionError(name, (error as Error).message);
  }
}

/** A value as it has to be written: some only as a string of JSON. */
function quoted(value: string): string {
  return value.startsWith('"') || value === "default" || /\p{Cc}|^\s|\s$/u.test(value) ? JSON.stringify(value) : value;
}
