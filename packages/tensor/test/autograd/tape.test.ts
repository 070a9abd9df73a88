import { afterAll, describe, expect, test } from "vitest";
import { Tape } from "../../src/autograd/tape.ts";
import {
  attention,
  createWasmBackend,
  DisposedError,
  diag,
  embedding,
  encodeVectors,
  GradientError,
  grad,
  keep,
  layerNorm,
  linear,
  noGrad,
  observe,
  ones,
  pad,
  sort,
  Tensor,
  tensor,
  tidy,
  valueAndGrad,
  where,
  zeros,
} from "../../src/index.ts";
import { recording } from "../../src/observe.ts";
import { describeOnEveryBackend } from "../backends.ts";
import { normal } from "./differences.ts";

type Loss = Tensor<[]>;
const loss = (x: unknown) => x as Loss;

describeOnEveryBackend("valueAndGrad", (device) => {
  const list = (x: { toListSync(): unknown }) => x.toListSync();

  test("gives the value and gradients of the very structure, shapes and device of the weights", () => {
    const weights = {
      w: tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { device },
      ),
      layers: [{ b: tensor([1, -1], { device }), none: undefined }],
    };
    const { value, gradients } = valueAndGrad(weights, () => weights.w.mul(weights.layers[0]!.b).square().sum());
    expect(value.itemSync()).toBe(1 + 4 + 9 + 16);
    expect(list(gradients.w)).toEqual([
      [2, 4],
      [6, 8],
    ]);
    expect(list(gradients.layers[0]!.b)).toEqual([20, -40]);
    expect(gradients.layers[0]).toHaveProperty("none", undefined);
    expect(gradients.w.device).toBe(device);
  });

  test("takes one tensor as it takes a nest of them, and a loss that is a weight", () => {
    const x = tensor(3, { device });
    expect(valueAndGrad(x, () => x).gradients.itemSync()).toBe(1);
    expect(valueAndGrad(x, () => x).value).toBe(x);
    expect(grad((y: Tensor<[]>) => y)(x).itemSync()).toBe(1);
    expect(x.itemSync()).toBe(3);
  });

  test("gives zeros for a weight that the loss does not use", () => {
    const [a, b] = [tensor([1, 2], { device }), tensor([3], { device })];
    const { gradients } = valueAndGrad([a, b], () => a.sum());
    expect(gradients.map(list)).toEqual([[1, 1], [0]]);
  });

  test("gives gradients without elements for weights without elements", () => {
    const weights = [zeros([3, 0], { device }), zeros([0, 3], { device }), ones([3, 2], { device })] as const;
    const { gradients } = valueAndGrad(weights, () => loss(weights[0].matmul(weights[1]).matmul(weights[2]).sum()));
    expect(gradients.map(list)).toEqual([
      [[], [], []],
      [],
      [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
    ]);
  });

  describe("views", () => {
    test("give their gradients to what they view: transposes, slices, selections, diagonals", () => {
      const x = tensor(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        { device },
      );
      const gradientOf = (f: () => unknown) => list(valueAndGrad(x, () => loss(f())).gradients);
      expect(
        gradientOf(() =>
          x.T.at(1)
            .mul(tensor([10, 20], { device }))
            .sum(),
        ),
      ).toEqual([
        [0, 10, 0],
        [0, 20, 0],
      ]);
      expect(gradientOf(() => x.slice(1, 0, 3, 2).square().sum())).toEqual([
        [2, 0, 6],
        [8, 0, 12],
      ]);
      expect(gradientOf(() => x.reshape([3, 2]).at(2).sum())).toEqual([
        [0, 0, 0],
        [0, 1, 1],
      ]);
      expect(gradientOf(() => x.sum().add(x.T.at(0).sum()))).toEqual([
        [2, 1, 1],
        [2, 1, 1],
      ]);
    });

    test("stretched ones are summed", () => {
      const x = tensor([1, 2], { device });
      const { gradients } = valueAndGrad(x, () =>
        x
          .expand([3, 2])
          .mul(tensor([[1], [10], [100]], { device }))
          .sum(),
      );
      expect(list(gradients)).toEqual([111, 111]);
    });

    test("of one product come together in one gradient", () => {
      const fused = tensor([[1, 2, 3, 4, 5, 6]], { device });
      const { gradients } = valueAndGrad(fused, () => {
        const [q, k, v] = fused.split([2, 2, 2], -1);
        return q.mul(k).mul(v).sum();
      });
      expect(list(gradients)).toEqual([[15, 24, 5, 12, 3, 8]]);
    });

    test("can be weights: their gradient is the same window on the gradient of the memory", () => {
      const whole = tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { device },
      );
      const [column, transposed] = [whole.select(1, 1), whole.T];
      const { gradients } = valueAndGrad({ column, transposed }, () => loss(whole.square().sum()));
      expect(list(gradients.column)).toEqual([4, 8]);
      expect(list(gradients.transposed)).toEqual([
        [2, 6],
        [4, 8],
      ]);
      expect(gradients.transposed.storage).toBe(gradients.column.storage);
    });

    test("a tensor that stands twice among the weights has one gradient, which sums up all uses", () => {
      const table = tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { device },
      );
      const ids = tensor([1, 1], { device, dtype: "int32" });
      const weights = { wte: table, lmHead: table };
      const { gradients } = valueAndGrad(weights, () =>
        loss(
          embedding(table as never, ids as never)
            .matmul(table.T as never)
            .sum(),
        ),
      );
      expect(gradients.lmHead).toBe(gradients.wte);
      // Σ over two equal rows r = table[1] of r·Σⱼ table[j]: 2·(r + …) by r, 2·r by each row.
      expect(list(gradients.wte)).toEqual([
        [6, 8],
        [14, 20],
      ]);
    });
  });

  test("gradients that come from one memory go on as two", () => {
    const [a, b] = [tensor([1, 2, 3], { device }), tensor([4, 5, 6], { device })];
    const { gradients } = valueAndGrad([a, b], () => {
      const [first, last] = [a.slice(0, 0, 1).square(), b.slice(0, 2, 3).square()]; // added in place to what a + b gave
      return loss(
        a
          .add(b)
          .mul(tensor([10, 20, 30], { device }))
          .sum()
          .add(first.sum())
          .add(last.sum()),
      );
    });
    expect(gradients.map(list)).toEqual([
      [12, 20, 30],
      [10, 20, 42],
    ]);
  });

  test("does not record what does not depend on the weights", () => {
    const frozen = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { device },
    );
    const bias = tensor([0, 0], { device });
    const tape = new Tape([{ path: "weights", view: bias as never }]);
    recording(tape, () => {
      const hidden = frozen.matmul(frozen).tanh();
      expect(tape.length).toBe(0);
      hidden.add(bias as never).sum();
      expect(tape.length).toBe(2);
    });
    tape.dispose();
  });

  test("computes nothing for constants beside weights", () => {
    const [x, c] = [tensor([1, 2], { device }), tensor([3, 4], { device })];
    const seen: string[] = [];
    observe({ after: ({ op }) => void seen.push(op.name) }, () => valueAndGrad(x, () => loss(x.add(c).sum())));
    expect(seen).toEqual(["add", "sum", "copy"]); // the gradient of a sum, spread out, is that of x
  });

  test("accumulates into given gradients, in their own memory", () => {
    const weights = {
      a: tensor([1, 2], { device }),
      b: tensor(
        [
          [3, 4],
          [5, 6],
        ],
        { device },
      ),
    };
    const run = (into?: { a: Tensor<[2]>; b: Tensor<[2, 2]> }) =>
      valueAndGrad(weights, () => loss(weights.b.T.matmul(weights.a).square().sum()), { into });
    const once = run().gradients;
    const into = run().gradients;
    const memory = into.b.storage;
    const { gradients } = run(into);
    expect(gradients.a).toBe(into.a);
    expect(gradients.b.storage).toBe(memory);
    for (const key of ["a", "b"] as const) expect(list(gradients[key])).toEqual(list((once[key] as Tensor).mul(2)));
  });

  test("accumulates into tensors of another layout, and once for a weight that stands twice", () => {
    const x = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { device },
    );
    const [weights, same] = [
      { a: x.T, b: x.T },
      tensor(
        [
          [1, 1],
          [1, 1],
        ],
        { device },
      ),
    ];
    const { gradients } = valueAndGrad(weights, () => loss(x.square().sum()), { into: { a: same, b: same } });
    expect(gradients.a).toBe(same);
    expect(list(same)).toEqual([
      [3, 7],
      [5, 9],
    ]);
  });

  describe("in-place copies", () => {
    test("into fresh memory hand their gradient on: pad, diag, buffers", () => {
      const x = tensor([1, 2], { device });
      const scale = tensor([1, 2, 3, 4], { device });
      expect(list(grad((y: Tensor<[2]>) => loss(pad(y, 1).mul(scale).sum()))(x))).toEqual([2, 3]);
      expect(list(grad((y: Tensor<[2]>) => loss(diag(y).square().sum()))(x))).toEqual([2, 4]);
    });

    test("cut off what was overwritten, and what comes later sees the new values", () => {
      const [a, b] = [tensor([1, 2, 3], { device }), tensor([10], { device })];
      const { gradients } = valueAndGrad([a, b], () => {
        const buffer = a.add(0);
        const before = buffer.sum();
        buffer.slice(0, 1, 2).copy_(b);
        return loss(
          buffer
            .mul(tensor([1, 10, 100], { device }))
            .sum()
            .add(before),
        );
      });
      expect(gradients.map(list)).toEqual([[2, 1, 101], [10]]);
    });

    test("of constants over what depends on the weights leave no gradient there", () => {
      const a = tensor([1, 2, 3], { device });
      const { gradients } = valueAndGrad(a, () => {
        const buffer = a.add(0);
        buffer.slice(0, 0, 2).copy_(zeros([1], { device }));
        return buffer.square().sum();
      });
      expect(list(gradients)).toEqual([0, 0, 6]);
    });

    test("are refused where the gradients need the old values, and into weights", () => {
      const x = tensor([1, 2], { device });
      const c = tensor([3, 4], { device });
      const overwrite = (target: Tensor<[2]>) => () => {
        const y = x.mul(c).exp();
        target.copy_(ones([2], { device }));
        return y.sum();
      };
      expect(() => valueAndGrad(x, overwrite(c))).toThrow(
        new GradientError("copy_", "writes to memory that the gradient of mul reads; write to a copy of it"),
      );
      expect(() => valueAndGrad({ x }, overwrite(x))).toThrow(
        new GradientError("copy_", "writes to weights.x, by which gradients are being computed"),
      );
      c.copy_(ones([2], { device })); // the tape is gone
      expect(list(c)).toEqual([1, 1]);
    });
  });

  test("holds memory that was disposed too early for the user's sake", () => {
    const x = tensor([1, 2], { device });
    const { gradients } = valueAndGrad(x, () => {
      const y = tidy(() => x.mul(2).exp()); // x·2 is freed here, and exp's gradient needs its result only
      const z = y.square();
      y.dispose();
      using squared = z;
      return squared.sum();
    });
    const expected = [4 * Math.exp(4), 4 * Math.exp(8)];
    for (const [i, value] of gradients.dataSync().entries()) expect(value / expected[i]!).toBeCloseTo(1, 5);
  });

  test("sees results that a listener puts in place of an op's, computed by it or not", () => {
    const x = tensor([1, 2], { device });
    const patched = (replace: (out: Tensor) => Tensor) =>
      observe({ after: ({ op }, [out]) => (op.name === "exp" ? [replace(new Tensor(out as never))] : undefined) }, () =>
        list(valueAndGrad(x, () => loss(x.exp().mul(x).sum())).gradients),
      );
    expect(patched(() => tensor([5, 6], { device }) as Tensor)).toEqual([5, 6]);
    expect(patched((out) => out.mul(0))).toEqual([0, 0]);
  });

  test("shows listeners the operations of the way back too", () => {
    const seen: string[] = [];
    const x = tensor([1, 2], { device });
    observe({ before: ({ op }) => void seen.push(op.name) }, () => valueAndGrad(x, () => loss(x.tanh().sum())));
    expect(seen.slice(0, 2)).toEqual(["tanh", "sum"]);
    expect(seen.length).toBeGreaterThan(3);
  });

  describe("operations without a gradient", () => {
    const x = tensor([[1, 3, 2]], { device });
    const refused = (op: string, f: () => unknown) => {
      expect(() => valueAndGrad(x, () => loss(f()))).toThrow(GradientError);
      expect(() => valueAndGrad(x, () => loss(f()))).toThrow(
        new RegExp(`^${op}: has no gradient, and the loss depends`),
      );
    };

    test("are named if the loss depends on the weights through them", () => {
      refused("argMax", () => x.argMax().cast("float32"));
      refused("argMax", () => x.argMax().add(1).cast("float32").mul(2).add(x.sum()));
      refused("gt", () => x.mul(x.gt(2).cast("float32") as never).sum());
      refused("cast", () => x.cast("int32").sum().cast("float32"));
      refused("sort", () => sort(x).indices.sum().cast("float32"));
    });

    test("do not matter if it does not, or if they only choose", () => {
      const gradientOf = (f: () => unknown) => list(valueAndGrad(x, () => loss(f())).gradients);
      expect(
        gradientOf(() => {
          x.argMax().cast("float32");
          return x.sum();
        }),
      ).toEqual([[1, 1, 1]]);
      expect(gradientOf(() => where(x.gt(1), x, 0).square().sum())).toEqual([[0, 6, 4]]);
      expect(gradientOf(() => x.gather(1, x.argMax(1, true)).sum())).toEqual([[0, 1, 0]]);
      expect(gradientOf(() => x.mul(noGrad(() => x.gt(1).cast("float32"))).sum())).toEqual([[0, 1, 1]]);
    });

    test("are packing and encoding with fewer bits", () => {
      const w = tensor(
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        { device },
      );
      expect(() => valueAndGrad(w, () => loss(x.matmul(w.pack("int8")).sum()))).toThrow(/^pack: has no gradient/);
      const q = ones([1, 1, 3], { device });
      expect(() =>
        valueAndGrad(q, () =>
          loss(attention(ones([1, 1, 3], { device }), encodeVectors(q, "bf16"), encodeVectors(q, "bf16")).sum()),
        ),
      ).toThrow(/^encodeVectors: has no gradient/);
    });
  });

  test("packing as float32 changes no value, and no gradient", () => {
    const w = normal([9, 17], 1, device);
    const x = normal([4, 9], 2, device);
    const gradientOf = (f: () => unknown) => list(valueAndGrad(w, () => loss(f())).gradients);
    expect(gradientOf(() => x.matmul(w.pack() as never).sum())).toEqual(gradientOf(() => x.matmul(w as never).sum()));
  });

  describe("refuses", () => {
    const x = tensor([1, 2], { device });

    test("a loss that is no scalar of float32, no tensor, a promise, or depends on nothing", () => {
      expect(() => valueAndGrad(x, () => loss(x.mul(2)))).toThrow(
        new GradientError(
          "valueAndGrad",
          "the loss must be a float32 scalar, got float32 [2]; sum() or mean() make one",
        ),
      );
      expect(() => valueAndGrad(x, () => loss(x.argMax()))).toThrow(/must be a float32 scalar, got int32 \[\]/);
      expect(() => valueAndGrad(x, () => 3 as never)).toThrow("valueAndGrad: expected a tensor as loss, got 3");
      expect(() => valueAndGrad(x, (async () => x.sum()) as never)).toThrow(/synchronous/);
      expect(() => valueAndGrad(x, () => loss(ones([2], { device }).sum()))).toThrow(/depends on none of the weights/);
      expect(() => valueAndGrad(x, () => noGrad(() => x.sum()))).toThrow(/depends on none of the weights/);
    });

    test("a tensor that was freed", () => {
      const gone = tensor([1], { device });
      gone.dispose();
      expect(() => valueAndGrad({ gone }, () => loss(x.sum()))).toThrow(DisposedError);
      expect(() =>
        valueAndGrad(x, () => {
          const y = x.sum();
          y.dispose();
          return y;
        }),
      ).toThrow(DisposedError);
    });

    test("weights that are no float32 tensors, packed, or repeat elements", () => {
      const sum = () => x.sum();
      const ids = tensor([1], { device, dtype: "int32" });
      expect(() => valueAndGrad({ a: [x, ids] }, sum)).toThrow(
        new GradientError("valueAndGrad", "weights.a[1] must be float32, got int32"),
      );
      expect(() => valueAndGrad({ x: x.expand([3, 2]) }, sum)).toThrow(/weights.x repeats elements/);
      expect(() => valueAndGrad({ x: ones([8, 8], { device }).pack("bf16") }, sum)).toThrow(
        /weights.x is a packed matrix/,
      );
      expect(() => valueAndGrad({ x, n: 3 }, sum)).toThrow(
        /expected tensors, in arrays and plain objects, got 3 as weights.n/,
      );
      expect(() => valueAndGrad(new Map([["x", x]]), sum)).toThrow(TypeError);
    });

    test("gradients to accumulate into that are others' or no gradients", () => {
      const run = (into: unknown) => () => valueAndGrad({ x }, () => x.sum(), { into: into as { x: Tensor<[2]> } });
      expect(run({ x: ones([3], { device }) })).toThrow(/into.x must be float32 \[2\], got float32 \[3\]/);
      expect(run({ y: ones([2], { device }) })).toThrow(/into.x must be a gradient, as weights.x is a weight/);
      expect(run({ x: ones([2], { device }), y: ones([2], { device }) })).toThrow(
        /into.y is the gradient of no weight/,
      );
      expect(run({ x })).toThrow(/is the memory of a weight/);
      expect(() => valueAndGrad({ x }, () => x.sum(), { onto: 1 } as never)).toThrow(/onto/);
    });

    test("to run inside another", () => {
      expect(() => valueAndGrad(x, () => valueAndGrad(x, () => x.sum()).value)).toThrow(
        new GradientError("valueAndGrad", "runs inside another one; there are no second derivatives"),
      );
      expect(
        noGrad(() =>
          valueAndGrad(x, () => loss(x.mul(noGrad(() => valueAndGrad(x, () => x.sum()).gradients)).sum())),
        ).gradients.toListSync(),
      ).toEqual([1, 1]);
    });
  });
});

describe("memory", () => {
  const device = createWasmBackend({ threads: 1, deterministic: true });
  afterAll(() => device.dispose());
  const used = () => device.info().usedBytes;

  const weights = {
    w: normal([16, 48], 1, device),
    b: normal([48], 2, device),
    g: normal([16], 3, device),
    table: normal([10, 16], 4, device),
  };
  const ids = tensor([1, 2, 3, 4], { device, dtype: "int32" });
  const step = () =>
    valueAndGrad(weights, () => {
      const x = embedding(weights.table as never, ids as never) as unknown as Tensor;
      const normed = layerNorm(x, weights.g as never, weights.g as never);
      const [q, k, v] = linear(normed, weights.w as never, weights.b as never).split(
        [16, 16, 16] as const,
        -1 as never,
      );
      const heads = [q, k, v].map((each) => (each as Tensor).reshape([4, 2, 8]));
      const y = attention(heads[0] as never, heads[1] as never, heads[2] as never) as unknown as Tensor;
      return loss(
        y
          .reshape([4, 16])
          .add(x as never)
          .matmul(weights.table.T as never)
          .logSoftmax(-1 as never)
          .mean(),
      );
    });

  test("is flat over 500 steps, although the function frees nothing itself", () => {
    let after = 0;
    const before = used();
    for (let i = 0; i < 500; i++) {
      const { value, gradients } = step();
      value.dispose();
      for (const gradient of Object.values(gradients)) gradient.dispose();
      if (i === 0) after = used();
    }
    expect(used()).toBe(after);
    expect(used()).toBe(before);
  });

  test("of gradients and value belongs to the tidy around", () => {
    const before = used();
    tidy(() => void step());
    expect(used()).toBe(before);
    const kept = tidy(() => keep(step().value));
    expect(kept.disposed).toBe(false);
    kept.dispose();
    expect(used()).toBe(before);
  });

  test("is given back when the function throws, when an operation has no gradient, and when the loss is refused", () => {
    const { w } = weights;
    const before = used();
    const deep = () => w.mul(2).exp().mul(w.add(1)).tanh();
    const attempts: (() => Loss)[] = [
      () => {
        deep();
        throw new Error("halfway");
      },
      () => loss(deep().sum().add(w.argMax().cast("float32"))),
      () => deep().square() as unknown as Loss,
      () => {
        const y = deep();
        y.copy_(zeros([1], { device }) as Tensor<never>);
        return loss(y.sum());
      },
      () => {
        const y = deep();
        const z = y.exp();
        z.copy_(zeros([1], { device }) as Tensor<never>);
        return loss(z.sum());
      },
    ];
    for (const attempt of attempts) {
      expect(() => valueAndGrad(w, attempt)).toThrow();
      expect(used()).toBe(before);
    }
    expect(() => valueAndGrad(w, attempts[4]!)).toThrow(/gradient of exp reads/);
  });

  test("of activations that no gradient reads is free as soon as the function lets go of it", () => {
    const x = normal([1000], 1, device);
    const before = used();
    let most = 0;
    tidy(() => {
      valueAndGrad(x, () => {
        let y: Tensor = x;
        for (let i = 0; i < 20; i++) {
          const next: Tensor = tidy(() => y.add(1).mul(2).sub(3)) as Tensor;
          if (y !== x) y.dispose();
          y = next;
          most = Math.max(most, used());
        }
        return y.sum() as Loss;
      });
    });
    expect(most - before).toBeLessThan(5 * 4000);
    expect(used()).toBe(before);
  });

  test("is let go node by node on the way back", () => {
    const x = normal([1000], 1, device);
    let [forward, most] = [0, 0];
    const look = () => {
      most = Math.max(most, used());
    };
    observe({ after: look }, () =>
      tidy(() => {
        valueAndGrad(x, () => {
          let y: Tensor = x;
          for (let i = 0; i < 20; i++) y = tidy(() => y.mul(0.1).tanh());
          const sum = y.sum() as Loss;
          forward = used();
          return sum;
        });
      }),
    );
    expect(most - forward).toBeLessThan(6 * 4000); // 20 results of tanh are held, and few of the 40 gradients at once
  });
});

describe("grad", () => {
  test("is by the first argument, whatever its structure, and leaves nothing but the gradient", () => {
    const device = createWasmBackend({ threads: 1, deterministic: true });
    const slope = grad((p: { a: Tensor<[2]>; b: Tensor<[]> }, x: Tensor<[2]>) => p.a.mul(x).sum().mul(p.b));
    const p = { a: tensor([1, 2], { device }), b: tensor(3, { device }) };
    const x = tensor([10, 20], { device });
    const before = device.info().usedBytes;
    const gradients = slope(p, x);
    expect(gradients.a.toListSync()).toEqual([30, 60]);
    expect(gradients.b.toListSync()).toBe(50);
    gradients.a.dispose();
    gradients.b.dispose();
    expect(device.info().usedBytes).toBe(before);
    expect(() => grad(3 as never)).toThrow("grad: expected a function, got 3");
    device.dispose();
  });
});
