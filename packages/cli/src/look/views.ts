import type { GPT2 } from "@gpt2-ts/gpt2";
import {
  drawAttention,
  drawAttentionHeads,
  drawContributions,
  drawLens,
  drawSurprise,
  shortToken,
  type ThemeName,
} from "@gpt2-ts/gpt2/draw";
import { type Contributions, contributions, type LogitLens, logitLens, startHooks, trace } from "@gpt2-ts/gpt2/look";
import { type Cell, table } from "./table.ts";

/** What is to be looked at. */
export interface Wanted {
  readonly ids: readonly number[];
  readonly layer: number | undefined;
  readonly head: number | undefined;
  readonly position: number | undefined;
  readonly target: number | undefined;
  readonly against: number | undefined;
  readonly ablate: readonly string[] | undefined;
  readonly signal: AbortSignal;
}

/** One thing that can be seen, in both forms. */
export interface View {
  /** For a terminal: whole lines. */
  text(): string;
  /** The name of the file, without its ending. */
  readonly file: string;
  svg(theme: ThemeName): string;
}

export const VIEW_NAMES = ["surprise", "attention", "lens", "contributions"] as const;
export type ViewName = (typeof VIEW_NAMES)[number];

export const views: Readonly<Record<ViewName, (model: GPT2, wanted: Wanted) => Promise<View>>> = {
  surprise,
  attention,
  lens,
  contributions: contributionsView,
};

/** Columns that a token takes at most. */
const TOKEN = 12;

async function surprise(model: GPT2, { ids, ablate, signal }: Wanted): Promise<View> {
  const stop = startHooks(model, { ablate });
  try {
    const score = await model.score(ids, { signal });
    const bits = score.logprobs.map((logprob) => -logprob / Math.LN2);
    const mean = bits.reduce((sum, each) => sum + each, 0) / bits.length;
    const summary =
      bits.length === 0
        ? "one token has nothing before it"
        : `${mean.toFixed(2)} bits a token on average, perplexity ${score.perplexity.toFixed(2)}`;
    return {
      file: "surprise",
      svg: (theme) => drawSurprise(score, { theme }),
      text: () =>
        `surprise: −log₂ of the probability of each token, given those before it (${summary})\n${table([
          {
            label: "token",
            cells: score.tokens.map((token, t) => ({
              text: shortToken(token, TOKEN),
              strength: (bits[t - 1] ?? 0) / 12,
            })),
          },
          { label: "bits", cells: ["", ...bits.map((each) => each.toFixed(1))].map((text) => ({ text })) },
        ])}`,
    };
  } finally {
    stop();
  }
}

async function attention(model: GPT2, { ids, layer, head, ablate, signal }: Wanted): Promise<View> {
  const places = [`h.${layer ?? "*"}.attn.pattern`];
  const { tokens, values } = await trace(model, ids, { places, ablate, signal });
  const patterns = values.map(({ data }) => data);
  const T = tokens.length;
  if (layer === undefined || head === undefined) {
    const first = layer ?? 0;
    const title = layer === undefined ? "Attention of all heads" : `Attention of the heads of layer ${layer}`;
    return {
      file: layer === undefined ? "attention" : `attention-${layer}`,
      svg: (theme) =>
        drawAttentionHeads(tokens, patterns, { theme, title, ...(layer !== undefined && { firstLayer: layer }) }),
      text: () =>
        `attention of the last token, ${quoted(tokens.at(-1)!)}: where each head looks most\n${strongest(tokens, patterns, model.config.nHead, first)}`,
    };
  }
  const pattern = patterns[0]!.subarray(head * T * T, (head + 1) * T * T);
  const title = `Attention of layer ${layer}, head ${head}`;
  return {
    file: `attention-${layer}-${head}`,
    svg: (theme) => drawAttention(tokens, pattern, { theme, title }),
    text: () =>
      `attention of layer ${layer}, head ${head}, in percent: each row shares out 100 over the columns\n${matrix(tokens, pattern)}`,
  };
}

/** For each head, the token that the last one attends to most. */
function strongest(tokens: readonly string[], patterns: readonly Float32Array[], heads: number, first: number): string {
  const T = tokens.length;
  const rows = patterns.map((pattern, i) => {
    const cells = Array.from({ length: heads }, (_, head): Cell => {
      const row = pattern.subarray(head * T * T + (T - 1) * T, (head + 1) * T * T);
      const share = row.reduce((a, b) => Math.max(a, b));
      const at = row.indexOf(share);
      return { text: `${shortToken(tokens[at]!, TOKEN)}(${at}) ${(100 * share).toFixed(0)}%`, strength: share };
    });
    return { label: `h.${first + i}`, cells };
  });
  return table([{ label: "head", cells: Array.from({ length: heads }, (_, head) => ({ text: `${head}` })) }, ...rows]);
}

function matrix(tokens: readonly string[], pattern: Float32Array): string {
  const T = tokens.length;
  const names = tokens.map((token, t) => `${String(t).padStart(String(T - 1).length)} ${shortToken(token, TOKEN)}`);
  const rows = names.map((label, t) => ({
    label,
    cells: tokens.map((_, s): Cell => {
      const share = pattern[t * T + s]!;
      return s > t ? { text: "" } : { text: (100 * share).toFixed(0), strength: share };
    }),
  }));
  return table([{ label: "", cells: tokens.map((_, t) => ({ text: `${t}` })) }, ...rows]);
}

async function lens(model: GPT2, { ids, ablate, signal }: Wanted): Promise<View> {
  const found = await logitLens(model, ids, { ablate, signal });
  return { file: "lens", svg: (theme) => drawLens(found, { theme }), text: () => lensText(found) };
}

function lensText({ tokens, layers }: LogitLens): string {
  const short = (token: string): string => shortToken(token, TOKEN);
  return `logit lens: the likeliest next token as each layer has it, in percent\n${table([
    { label: "text", cells: tokens.map((token) => ({ text: short(token) })) },
    ...layers.map(({ place, top }) => ({
      label: place,
      cells: top.map(([first]): Cell => {
        const { token, probability } = first!;
        return { text: `${short(token)} ${(100 * probability).toFixed(0)}`, strength: probability };
      }),
    })),
    { label: "next", cells: tokens.map((_, t) => ({ text: t + 1 < tokens.length ? short(tokens[t + 1]!) : "?" })) },
  ])}`;
}

async function contributionsView(model: GPT2, wanted: Wanted): Promise<View> {
  const { ids, position, target, against, ablate, signal } = wanted;
  const found = await contributions(model, ids, { position, target, against, ablate, signal });
  return {
    file: "contributions",
    svg: (theme) => drawContributions(found, { theme }),
    text: () => contributionsText(found, model.config.nHead),
  };
}

function contributionsText(found: Contributions, heads: number): string {
  const { tokens, position, target, against, logit, parts } = found;
  const added = new Map(parts.map(({ part, logit }) => [part, logit]));
  const strongest = parts.reduce((most, part) => Math.max(most, Math.abs(part.logit)), 0);
  const columns = [...Array.from({ length: heads }, (_, head) => `attn.head.${head}`), "attn.cProj.bias", "mlp.cProj"];
  const cell = (part: string): Cell => {
    const value = added.get(part)!;
    return { text: signed(value), strength: Math.abs(value) / strongest };
  };
  const layers = parts.filter(({ part }) => part.endsWith(".mlp.cProj")).length;
  const rows = Array.from({ length: layers }, (_, layer) => ({
    label: `h.${layer}`,
    cells: columns.map((column) => cell(`h.${layer}.${column}`)),
  }));
  const header = columns.map((name) => ({
    text: name.replace("attn.head.", "").replace("attn.cProj.", "").replace("mlp.cProj", "MLP"),
  }));
  const outside = ["wte", "wpe", "lnF.bias"].map((part) => `${part} ${signed(added.get(part)!)}`);
  const rather = against ? ` rather than ${quoted(against.token)}` : "";
  return (
    `contributions to ${quoted(target.token)}${rather} after ${quoted(tokens[position]!)} (${position}): logit ${signed(logit)}, ` +
    `the sum of these and of ${outside.join(", ")}\n${table([{ label: "head", cells: header }, ...rows])}`
  );
}

function quoted(token: string): string {
  return `“${shortToken(token, TOKEN)}”`;
}

function signed(value: number): string {
  const shown = value.toFixed(2);
  if (Number(shown) === 0) return "0.00";
  return value < 0 ? shown : `+${shown}`;
}
