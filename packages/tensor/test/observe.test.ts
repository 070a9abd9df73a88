import { afterAll, describe, expect, test } from "vitest";
import { referenceBackend } from "../src/backends/reference/index.ts";
import {
  createWasmBackend,
  DeviceError,
  DisposedError,
  keep,
  layerNorm,
  linear,
  type OpCall,
  type OpListener,
  observe,
  ones,
  Profiler,
  startObserving,
  Tensor,
  targetLogProbs,
  tensor,
  tidy,
  topK,
  type View,
  zeros,
} from "../src/index.ts";
import { describeOnEveryBackend } from "./backends.ts";

/** A listener that writes down what it is told, and whose name it goes by. */
function diary(name = ""): { lines: string[]; listener: OpListener } {
  const lines: string[] = [];
  const shapes = (views: readonly View[]): string => views.map(({ shape }) => `[${shape}]`).join(" ");
  return {
    lines,
    listener: {
      before: ({ op, inputs }) => void lines.push(`${name}<${op.name} ${shapes(inputs)}`),
      after: ({ op }, outputs) => void lines.push(`${name}>${op.name} ${shapes(outputs)}`),
    },
  };
}

describeOnEveryBackend("observe", (device) => {
  test("shows each op before and after it runs, with its operands, parameters and results", () => {
    const calls: [OpCall, readonly View[]][] = [];
    const x = ones([2, 3], { device });
    const w = ones([3, 4], { device });
    const y = observe({ after: (call, outputs) => void calls.push([call, outputs]) }, () =>
      linear(x, w, ones([4], { device }), { activation: "gelu" }),
    );
    const [[call, outputs]] = calls as [[OpCall, readonly View[]]];
    expect(calls).toHaveLength(1);
    expect(call.op.name).toBe("linear");
    expect(call.inputs.map(({ storage }) => storage).slice(0, 2)).toEqual([x.storage, w.storage]);
    expect(call.params).toMatchObject({ activation: "gelu" });
    expect(outputs.map(({ storage }) => storage)).toEqual([y.storage]);
  });

  test("sees no views, and names memories: what an op wrote is what the next one reads, through any view", () => {
    const calls: OpCall[] = [];
    observe({ before: (call) => void calls.push(call) }, () =>
      tidy(() => {
        const sum = ones([2, 6], { device }).add(1);
        const [left, right] = sum.split([2, 4], -1);
        left.transpose().reshape([4]).exp();
        right.sum();
        expect(calls.map(({ op }) => op.name)).toEqual(["add", "copy", "exp", "sum"]);
        expect(calls[1]!.inputs[0]!.storage).toBe(sum.storage);
        expect(calls[3]!.inputs[0]).toMatchObject({ storage: sum.storage, offset: 2 });
      }),
    );
  });

  test("sees all results of an op, ops on memory that exists, and packing", () => {
    const { lines, listener } = diary();
    observe(listener, () =>
      tidy(() => {
        topK(tensor([1, 3, 2], { device }), 2);
        zeros([2], { device }).copy_(ones([1], { device }));
        ones([8, 8], { device }).pack();
      }),
    );
    expect(lines).toEqual(["<topK [3]", ">topK [2] [2]", "<copy [2]", ">copy [2]", "<pack [8,8]", ">pack [8,8]"]);
  });

  test("shows values that are there when `after` is told, and keeps what it keeps", () => {
    const kept: Tensor[] = [];
    const sum = observe(
      {
        after(_, [out]) {
          const shown = new Tensor(out as View<"float32">);
          expect(shown.dataSync()).toEqual(new Float32Array(3).fill(3));
          kept.push(keep(new Tensor(out as View<"float32">)));
        },
      },
      () => tidy(() => ones([3], { device }).add(2)),
    );
    expect(sum.dataSync()).toEqual(new Float32Array(3).fill(3)); // `shown` was freed, its memory was not
    sum.dispose();
    expect(kept[0]!.dataSync()).toEqual(new Float32Array(3).fill(3));
    kept[0]!.dispose();
    expect(kept[0]!.storage.freed).toBe(true);
  });

  test("puts a listener's result in an op's place, and frees what stood there", () => {
    let replaced: View | undefined;
    const result = observe(
      {
        after({ op }, [out]) {
          if (op.name !== "exp") return;
          replaced = out;
          return [new Tensor(out as View<"float32">).mul(0).add(7)];
        },
      },
      () => tidy(() => ones([2], { device }).exp().add(1)),
    );
    expect(result.dataSync()).toEqual(new Float32Array([8, 8]));
    expect(replaced!.storage.freed).toBe(true);
    result.dispose();
    expect(result.storage.freed).toBe(true);
  });

  test("a tensor from elsewhere can stand in an op's place, and stays its owner's", () => {
    using patch = tensor([5, 6], { device });
    using result = observe({ after: () => [patch] }, () => ones([2], { device }).exp());
    expect(result.dataSync()).toEqual(new Float32Array([5, 6]));
    result.dispose();
    expect(patch.dataSync()).toEqual(new Float32Array([5, 6]));
  });

  test("does not show a listener the ops that it runs itself, nor to the others", () => {
    const { lines, listener } = diary();
    const busy: OpListener = {
      before: () => void ones([2], { device }).exp(),
      after: () => void ones([2], { device }).sum(),
    };
    observe(listener, () => observe(busy, () => observe(listener, () => void ones([1], { device }).neg())));
    expect(lines).toEqual(["<neg [1]", "<neg [1]", ">neg [1]", ">neg [1]"]);
  });

  test("refuses results of another shape, type, number or device, and frees all", () => {
    const x = ones([2], { device });
    const put =
      (others: unknown): (() => unknown) =>
      () =>
        observe({ after: () => others as View[] }, () => x.exp());
    expect(put([ones([3], { device })])).toThrow(
      "exp: a listener must put float32 [2] in its result's place, got float32 [3]",
    );
    expect(put([zeros([2], { dtype: "int32", device })])).toThrow("got int32 [2]");
    expect(put([])).toThrow("exp: has 1 results; a listener must return an array of as many, or nothing");
    expect(put(ones([2], { device }))).toThrow("must return an array");
    expect(put([undefined])).toThrow("exp: a listener must put tensors in its results' place, got undefined");
    const gone = ones([2], { device });
    gone.dispose();
    expect(put([gone])).toThrow(DisposedError);
    const other = device === referenceBackend ? createWasmBackend({ threads: 1 }) : referenceBackend;
    expect(put([ones([2], { device: other })])).toThrow(DeviceError);
    const intoIt = () => observe({ after: () => [x] }, () => zeros([2], { device }).copy_(x));
    expect(intoIt).toThrow("copy: writes to memory that exists: a listener cannot put other results in its place");
  });

  test("what a listener throws reaches the caller, frees the op's results, and leaves nobody listening", () => {
    let fresh: View | undefined;
    const { lines, listener } = diary();
    const boom = new Error("boom");
    const throwing: OpListener = {
      after(_, [out]) {
        fresh = out;
        throw boom;
      },
    };
    expect(() => observe(listener, () => observe(throwing, () => ones([2], { device }).exp()))).toThrow(boom);
    expect(fresh!.storage.freed).toBe(true);
    ones([2], { device }).exp();
    expect(lines).toEqual(["<exp [2]"]);
    const refusing = {
      before: () => {
        throw boom;
      },
    };
    expect(() => observe(refusing, () => ones([2], { device }).exp())).toThrow(boom);
  });

  test("the same numbers come out, whoever looks on", () => {
    const run = (): Float32Array =>
      tidy(() => {
        const x = tensor([[1, 2, 3]], { device });
        return layerNorm(x.exp(), ones([3], { device }), zeros([3], { device })).dataSync();
      });
    expect(observe(diary().listener, run)).toEqual(run());
  });
});

describe("listeners", () => {
  test("nest: the inner one lies between what the outer one is told, and its results are what the outer one sees", () => {
    const lines: string[] = [];
    const outer = diary("outer");
    const inner = diary("inner");
    const log = (listener: OpListener): OpListener => ({
      before: (call) => {
        listener.before!(call);
        lines.push(...[...outer.lines, ...inner.lines].filter((line) => !lines.includes(line)));
      },
      after: (call, outputs, ms) => {
        listener.after!(call, outputs, ms);
        lines.push(...[...outer.lines, ...inner.lines].filter((line) => !lines.includes(line)));
      },
    });
    observe(log(outer.listener), () => observe(log(inner.listener), () => void ones([1]).neg()));
    expect(lines).toEqual(["outer<neg [1]", "inner<neg [1]", "inner>neg [1]", "outer>neg [1]"]);

    const seen: number[] = [];
    observe({ after: (_, [out]) => void seen.push(new Tensor(out as View<"float32">).itemSync()) }, () =>
      observe({ after: () => [tensor([9])] }, () => void ones([1]).neg()),
    );
    expect(seen).toEqual([9]);
  });

  test("that are started are told until they are stopped, across awaits, in any order of stopping", async () => {
    const [a, b] = [diary("a"), diary("b")];
    const stopA = startObserving(a.listener);
    const stopB = startObserving(b.listener);
    ones([1]).neg();
    await Promise.resolve();
    stopA();
    ones([1]).exp();
    stopB();
    stopA();
    ones([1]).abs();
    expect(a.lines).toEqual(["a<neg [1]", "a>neg [1]"]);
    expect(b.lines).toEqual(["b<neg [1]", "b>neg [1]", "b<exp [1]", "b>exp [1]"]);
  });

  test("started twice are told twice, and stopped one by one", () => {
    const { lines, listener } = diary();
    const [stop, again] = [startObserving(listener), startObserving(listener)];
    again();
    ones([1]).neg();
    stop();
    ones([1]).neg();
    expect(lines).toEqual(["<neg [1]", ">neg [1]"]);
  });

  test("can be stopped by a listener, and are not told of that operation any more", () => {
    const [a, b] = [diary("a"), diary("b")];
    const stops: (() => void)[] = [];
    stops.push(startObserving({ before: () => stops.forEach((stop) => void stop()) }));
    stops.push(startObserving(a.listener));
    const stopB = startObserving(b.listener);
    ones([1]).neg();
    ones([1]).exp();
    stopB();
    ones([1]).abs();
    expect(a.lines).toEqual([]);
    expect(b.lines).toEqual(["b<neg [1]", "b>neg [1]", "b<exp [1]", "b>exp [1]"]);
  });

  test("can be started by a listener, and are told of the operations that follow", () => {
    const { lines, listener } = diary();
    let stop: (() => void) | undefined;
    observe(
      {
        after() {
          stop ??= startObserving(listener);
        },
      },
      () => void ones([1]).neg(),
    );
    ones([1]).exp();
    stop!();
    ones([1]).abs();
    expect(lines).toEqual(["<exp [1]", ">exp [1]"]);
  });

  test("are objects with a function before or after: nothing else is taken for one", () => {
    for (const wrong of [undefined, null, () => {}, {}, { afer: () => {} }, { after: 5 }]) {
      expect(() => observe(wrong as never, () => {})).toThrow(
        "observe: expected a listener with a function before or after",
      );
    }
  });

  test("are not for functions that return a promise", () => {
    const { lines, listener } = diary();
    expect(() => observe(listener, async () => {})).toThrow(TypeError);
    ones([1]).neg();
    expect(lines).toEqual([]);
  });

  const device = createWasmBackend({ threads: 1 });
  afterAll(() => device.dispose());

  test("leave no memory behind", () => {
    const before = device.info().usedBytes;
    const round = (): void =>
      tidy(() => {
        const x = ones([100], { device });
        observe(
          {
            before: ({ inputs }) => void new Tensor(inputs[0] as View<"float32">).neg(),
            after: (_, [out]) => [new Tensor(out as View<"float32">).add(1)],
          },
          () => x.exp().mul(2).sum(),
        );
        ones([16, 16], { device }).pack("bf16");
      });
    for (let i = 0; i < 20; i++) observe({ before: () => {} }, round);
    expect(device.info().usedBytes).toBe(before);
  });

  test("are told the time of each op on devices that are done when it returns", () => {
    const times: (number | undefined)[] = [];
    observe(
      { after: (_, __, milliseconds) => void times.push(milliseconds) },
      () => void ones([1000], { device }).exp(),
    );
    expect(times).toHaveLength(1);
    expect(times[0]).toBeGreaterThanOrEqual(0);
  });
});

describe("Profiler", () => {
  test("adds up calls of one op and shape, with the least work they take", () => {
    const profiler = new Profiler();
    observe(profiler, () =>
      tidy(() => {
        const x = ones([2, 3]);
        x.exp();
        x.exp();
        x.matmul(ones([3, 4]));
        x.transpose().sum(0);
      }),
    );
    const [exp, matmul, sum, ...others] = profiler.take();
    expect(others).toEqual([]);
    expect(exp).toMatchObject({ title: "exp", shape: "2×3", calls: 2, operations: 12, bytes: 96, arithmetic: "f32" });
    expect(matmul).toMatchObject({
      title: "matmul",
      shape: "2×3×4",
      calls: 1,
      operations: 48,
      bytes: 4 * (6 + 12 + 8),
    });
    expect(sum).toMatchObject({ title: "sum", shape: "2", operations: 6, bytes: 32 });
    expect(profiler.take()).toEqual([]);
  });

  test("names products by the weight that they read", () => {
    const w = ones([3, 4]);
    const profiler = new Profiler((_, storage) => (storage === w.storage ? "w" : undefined));
    observe(profiler, () => void linear(ones([2, 3]), w, undefined, { activation: "gelu" }));
    expect(profiler.take()[0]).toMatchObject({ title: "w, gelu", shape: "2×3×4" });
    const targets = zeros([2], { dtype: "int32" });
    observe(profiler, () => void targetLogProbs(ones([2, 3]), w, targets));
    const bytes = 4 * (6 + 12 + 2 + 2 + 2);
    expect(profiler.take()[0]).toMatchObject({ title: "w", shape: "2×3×4", operations: 8 * (2 * 3 + 4), bytes });
  });
});
