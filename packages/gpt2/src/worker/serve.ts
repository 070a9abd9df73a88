import { generateTogether } from "../generate/generate.ts";
import { GPT2 } from "../gpt2.ts";
import type { GenerateRequest, Text } from "../language-model.ts";
import { promptsOf } from "../requests.ts";
import { contentsOfTokenizer } from "../tokenizer/tokenizer.ts";
import type { Call, Reply, Request } from "./protocol.ts";
import { sentError } from "./sent-error.ts";
import { partsOf } from "./sent-scores.ts";
import { tensorParts } from "./sent-tensors.ts";
import type { ThreadPort } from "./thread-port.ts";

type Items = AsyncGenerator<unknown, unknown>;
type Options = never; // whatever the caller gave: GPT2's methods check it

/** @param signalOf the signal of one of the items that the call is about, which has one of its own */
type Method = (
  model: GPT2,
  subject: never,
  options: Options,
  signalOf: (index: number) => AbortSignal,
) => Items | Promise<unknown>;

/** What a thread can be asked for. A result that comes in one piece is a promise. */
const methods: Readonly<Record<string, Method>> = {
  generate: (model, prompt: Text, options) => model.generate(prompt, options),
  stream: (model, prompt: Text, options) => model.stream(prompt, options),
  events: (model, prompt: Text, options) => model.events(prompt, options),
  async *generateAll(model, requests: readonly GenerateRequest[], options, signalOf) {
    yield* await model.generateAll(withSignals(requests, signalOf), options);
  },
  async *eventsAll(model, requests: readonly GenerateRequest[], options, signalOf) {
    const prompts = promptsOf("eventsAll", withSignals(requests, signalOf), model.tokenizer);
    yield* generateTogether(model, prompts, options); // the events of each pass
  },
  async *scoreAll(model, texts: readonly Text[], options) {
    yield* partsOf(await model.scoreAll(texts, options));
  },
  logits: (model, text: Text) => tensorParts([model.logits(text)]),
  hiddenStates(model, text: Text) {
    const { blocks, final } = model.hiddenStates(text);
    return tensorParts([...blocks, final]);
  },
  attentionMaps: (model, text: Text) => tensorParts(model.attentionMaps(text)),
  async *trace(model, text: Text, options) {
    const { tracing } = await import("./looking.ts");
    return yield* tracing(model, text, options);
  },
  logitLens: async (model, text: Text, options) => (await import("./looking.ts")).logitLens(model, text, options),
  contributions: async (model, text: Text, options) =>
    (await import("./looking.ts")).contributions(model, text, options),
  nextLogits: async (model, text: Text, options) => (await import("./looking.ts")).nextLogits(model, text, options),
  info: async (model) => (await import("./looking.ts")).infoOf(model),
  switchOff: async (model, places: readonly string[]) => (await import("./looking.ts")).switchOff(model, places),
};

/** Requests with signals of this thread where they have one in the other. */
function withSignals(
  requests: readonly GenerateRequest[],
  signalOf: (index: number) => AbortSignal,
): GenerateRequest[] {
  return requests.map((request, i) => (request.signal ? { ...request, signal: signalOf(i) } : request));
}

/** How a model gets here. */
const loaders: Readonly<Record<string, (subject: never, options: Options) => Promise<GPT2>>> = {
  load: (where: string, options) => GPT2.load(where, options),
  loadUrl: (where: string, options) => GPT2.load(new URL(where), options),
  fromPretrained: (name: string, options) => GPT2.fromPretrained(name, options),
};

/** Serves the one model of a thread to whoever is at the other end of the line. */
export function serve(port: ThreadPort): void {
  let model: GPT2 | undefined;
  const calls = new Map<number, RunningCall>();
  const brought = new Map<number, unknown[]>();
  const send = (reply: Reply, transfer?: readonly ArrayBufferLike[]): void => port.send(reply, transfer);

  function outcomeOf(
    { method }: Call,
    subject: unknown,
    options: unknown,
    running: RunningCall,
  ): Items | Promise<unknown> {
    if (Object.hasOwn(loaders, method)) {
      return loaders[method]!(subject as never, options as never).then((loaded) => {
        model = loaded;
        const { config, generationDefaults, tokenizer } = loaded;
        return { config, generationDefaults, tokenizer: contentsOfTokenizer(tokenizer) };
      });
    }
    return methods[method]!(
      model!,
      subject as never,
      options as never,
      (index) => running.itemController(index).signal,
    );
  }

  async function run(id: number, call: Call): Promise<void> {
    const running = new RunningCall(call.room);
    calls.set(id, running);
    try {
      const subject = call.brought ? (brought.get(id) ?? []) : call.subject;
      brought.delete(id);
      const outcome = outcomeOf(call, subject, optionsOf(id, call, running.signal, send), running);
      send({ type: "done", id, value: await (isItems(outcome) ? running.follow(outcome, sendItem) : outcome) });
    } catch (error) {
      send({ type: "failed", id, error: sentError(error) });
    } finally {
      calls.delete(id);
    }

    function sendItem(item: unknown): void {
      const elements = (item as { readonly elements?: Float32Array } | undefined)?.elements;
      send({ type: "item", id, item }, elements && [elements.buffer]);
    }
  }

  function bring(id: number, more: readonly unknown[]): void {
    const known = brought.get(id);
    if (known) known.push(...more);
    else brought.set(id, [...more]);
  }

  port.listen((message) => {
    const request = message as Request;
    const { id } = request;
    if (request.type === "call") void run(id, request.call);
    else if (request.type === "bring") bring(id, request.items);
    else if (request.type === "more") calls.get(id)?.more();
    else if (request.type === "abort") calls.get(id)?.itemController(request.index).abort();
    else {
      brought.delete(id);
      calls.get(id)?.stop();
    }
  });
}

/** A call's options as its method takes them: functions are called at the other end, and a signal says when to stop. */
function optionsOf(
  id: number,
  { options, functions }: Call,
  signal: AbortSignal,
  send: (reply: Reply) => void,
): unknown {
  if (typeof options !== "object" || options === null) return options;
  const forwarding = functions.map((option) => {
    return [option, (argument: unknown) => send({ type: "called", id, option, argument })] as const;
  });
  return { ...options, ...Object.fromEntries(forwarding), signal };
}

function isItems(outcome: Items | Promise<unknown>): outcome is Items {
  return Symbol.asyncIterator in outcome;
}

/** A call that is being carried out, no further ahead than its caller has room for. */
class RunningCall {
  #room: number;
  #wake = (): void => {};
  readonly #controller = new AbortController();
  /** Of single items that the call is about. */
  readonly #itemControllers = new Map<number, AbortController>();

  constructor(room: number) {
    this.#room = room;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  itemController(index: number): AbortController {
    const controller = this.#itemControllers.get(index) ?? new AbortController();
    this.#itemControllers.set(index, controller);
    return controller;
  }

  more(): void {
    this.#room++;
    this.#wake();
  }

  stop(): void {
    this.#controller.abort();
    this.#wake();
  }

  /** Sends what is yielded. Resolves to the result, or when stopped to undefined. */
  async follow(items: Items, send: (item: unknown) => void): Promise<unknown> {
    while (true) {
      while (this.#room === 0 && !this.signal.aborted) await new Promise<void>((resolve) => (this.#wake = resolve));
      if (this.signal.aborted) return void (await items.return(undefined));
      const step = await items.next();
      if (step.done) return step.value;
      this.#room--;
      send(step.value);
    }
  }
}
