// What lm-evaluation-harness has to find, computed from `gpt2 score`, and for texts from the library: the harness's definitions written
// down anew (lm_eval 0.4: api/model.py, utils.py, api/metrics.py).
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { GPT2 } from "@gpt2-ts/gpt2";

const COMMAND = fileURLToPath(new URL("../../../packages/cli/bin/gpt2.js", import.meta.url));
const UNTIL = "\n\n";
const MAX_TOKENS = 48;
/** Of each document of next_line.jsonl. */
const CHOICES = 4;

/** For each task the answers to each document, in order, and the metrics. */
export async function expectedOf(documents, { model, context }) {
  // The harness leaves room for the token that it lets the server generate.
  const longest = context - 1;
  const using = {
    model,
    longest,
    endOfText: (await score(model, [{ text: "<|endoftext|>" }], ["--special-tokens"]))[0].ids[0],
  };
  return {
    gpt2ts_next_line: await nextLine(documents["gpt2ts_next_line"], using),
    gpt2ts_passages: await passages(documents["gpt2ts_passages"], using),
    gpt2ts_continuations: await continuations(documents["gpt2ts_continuations"], using),
  };
}

/**
 * Documents whose first choice is what the model itself says, so that the harness finds greedy texts too: after contexts that it goes on
 * from with a new line.
 */
export async function greedyDocuments(documents, model) {
  const library = await GPT2.load(model);
  const found = [];
  for (const { context, choices } of documents) {
    if (context === "" || context.length > 400) continue;
    const { text } = await library.generate(context, { temperature: 0, maxTokens: 10 });
    if (text.length < 8 || !text.startsWith("\n")) continue;
    found.push({ context, choices: [text.slice(1), ...choices.slice(1)], label: 0 });
  }
  library.dispose();
  return found;
}

async function nextLine(records, using) {
  const pairs = records.flatMap(({ context, choices }) => choices.map((choice) => [context, `\n${choice}`]));
  const answers = await likelihoods(pairs, using);
  const each = records.map(({ choices, label }, i) => {
    const answer = answers.slice(CHOICES * i, CHOICES * (i + 1));
    const perCharacter = answer.map(([likelihood], i) => likelihood / [...choices[i]].length);
    return {
      answer,
      right: best(answer.map(([likelihood]) => likelihood)) === label,
      rightNormed: best(perCharacter) === label,
    };
  });
  const share = (key) => each.filter((one) => one[key]).length / each.length;
  return {
    documents: each.map(({ answer }) => answer),
    metrics: { acc: share("right"), acc_norm: share("rightNormed") },
  };
}

/** The likelihood of each continuation after its context, and whether each of its tokens is the likeliest. */
async function likelihoods(pairs, { model, longest, endOfText }) {
  const wholes = await idsOf(
    model,
    pairs.map(([context, continuation]) => context + continuation),
  );
  const contexts = await idsOf(
    model,
    pairs.map(([context]) => context),
  );
  const inputs = wholes.map((ids, i) => {
    const contextIds = pairs[i][0] === "" ? [endOfText] : contexts[i];
    const all = pairs[i][0] === "" ? [endOfText, ...ids] : ids;
    return { ids: all.slice(-longest), predicted: all.length - contextIds.length };
  });
  return scoreEnds(model, inputs);
}

async function passages(records, { model, longest, endOfText }) {
  const tokenized = await idsOf(
    model,
    records.map(({ text }) => text),
  );
  const windows = tokenized.flatMap((ids, record) =>
    rolling(ids, longest, endOfText).map((window) => ({ record, ...window })),
  );
  const scores = await scoreEnds(model, windows);
  const likelihoods = records.map((_, record) =>
    sum(windows.map((window, i) => (window.record === record ? scores[i][0] : 0))),
  );
  const total = sum(likelihoods);
  const words = sum(records.map(({ text }) => text.split(/\s+/).length));
  const bytes = sum(records.map(({ text }) => Buffer.byteLength(text)));
  return {
    documents: likelihoods.map((likelihood) => [likelihood]),
    metrics: {
      word_perplexity: Math.exp(-total / words),
      byte_perplexity: Math.exp(-total / bytes),
      bits_per_byte: -total / bytes / Math.LN2,
    },
  };
}

/**
 * Windows that together predict each token once. The first begins after the end of a text; a later one is filled up with the tokens
 * before it, so that the last one, which is shorter, has as much to go by as the others.
 */
function rolling(ids, longest, endOfText) {
  // A window's context and continuation together are one token more than `longest - 1` inputs predict.
  const most = longest - 1;
  const windows = [];
  for (let done = 0; done < ids.length; ) {
    const predicted = Math.min(most, ids.length - done);
    const end = done + predicted;
    const ids_ = done === 0 ? [endOfText, ...ids.slice(0, end)] : ids.slice(end - most - 1, end);
    windows.push({ ids: ids_, predicted });
    done = end;
  }
  return windows;
}

/** `[log-likelihood, greedy]` of the last `predicted` of the ids, for each. */
async function scoreEnds(model, inputs) {
  const scores = await score(
    model,
    inputs.map(({ ids }) => ({ ids })),
    ["--top", "1"],
  );
  return scores.map(({ ids, logprobs, alternatives }, i) => {
    const from = logprobs.length - inputs[i].predicted;
    const greedy = alternatives.slice(from).every(([likeliest], j) => likeliest.logprob === logprobs[from + j]);
    return [sum(logprobs.slice(from)), greedy && ids.length > 0];
  });
}

async function continuations(records, { model }) {
  const library = await GPT2.load(model);
  const texts = [];
  for (const { prompt } of records) {
    const { text } = await library.generate(prompt, {
      temperature: 0,
      maxTokens: MAX_TOKENS,
      stop: [UNTIL, "<|endoftext|>"],
    });
    texts.push([text]);
  }
  library.dispose();
  return { documents: texts, metrics: {} };
}

/** Some texts are longer than the context: they are scored through windows, and of that only the ids are used. */
async function idsOf(model, texts) {
  const scores = await score(
    model,
    texts.map((text) => ({ text })),
    ["--stride", "128"],
  );
  return scores.map(({ ids }) => ids);
}

/** `gpt2 score`: records in, records out. */
async function score(model, records, flags = []) {
  const child = spawn(process.execPath, [COMMAND, "score", "--model", model, ...flags], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const output = [];
  child.stdout.on("data", (data) => output.push(data));
  child.stdin.end(records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  const status = await new Promise((resolve) => child.on("close", resolve));
  if (status !== 0) throw new Error(`gpt2 score ended with status ${status}`);
  return Buffer.concat(output)
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const sum = (values) => values.reduce((total, value) => total + value, 0);
const best = (values) => values.indexOf(Math.max(...values));
