/** Lesson 5: gradients from scratch, and the library's. */
import { tensor, valueAndGrad } from "@gpt2-ts/tensor";

/** A number that knows what it was made from, and its slope by each of them: how much it moves when that one moves. */
class Value {
  readonly data: number;
  readonly from: readonly (readonly [input: Value, slope: number])[];
  gradient = 0;
  constructor(data: number, ...from: readonly (readonly [input: Value, slope: number])[]) {
    this.data = data;
    this.from = from;
  }
  add(other: Value): Value {
    return new Value(this.data + other.data, [this, 1], [other, 1]);
  }
  mul(other: Value): Value {
    return new Value(this.data * other.data, [this, other.data], [other, this.data]);
  }
  tanh(): Value {
    const y = Math.tanh(this.data);
    return new Value(y, [this, 1 - y * y]);
  }
  /** Sets the gradient of all that this value was made from: how much this value moves with each. */
  backward(): void {
    const order = new Set<Value>(); // each value behind its inputs
    const visit = (value: Value) => {
      if (!order.has(value)) for (const [input] of value.from) visit(input);
      order.add(value);
    };
    visit(this);
    this.gradient = 1;
    for (const { from, gradient } of [...order].reverse()) {
      for (const [input, slope] of from) input.gradient += slope * gradient;
    }
  }
}

// u = a b + c, loss = u u.
const [a, b, c] = [new Value(2), new Value(-3), new Value(10)];
const u = a.mul(b).add(c);
u.mul(u).backward();
console.log(`u = ${u.data}; gradients: u ${u.gradient}, a ${a.gradient}, b ${b.gradient}, c ${c.gradient}`);
console.log(`a moved by 0.001: the loss moves by ${((2.001 * -3 + 10) ** 2 - 16).toFixed(4)}`);

// A neuron that learns: tanh(w x + v) shall be 0.5 for x = 1, and -0.5 for x = -2.
const [xs, ys] = [tensor([1, -2]), tensor([0.5, -0.5])];
let [w, v] = [0, 1];
for (let step = 0; step <= 40; step++) {
  const [W, B] = [new Value(w), new Value(v)];
  const error = (x: number, y: number) => W.mul(new Value(x)).add(B).tanh().add(new Value(-y));
  const [first, second] = [error(1, 0.5), error(-2, -0.5)];
  const loss = first.mul(first).add(second.mul(second));
  loss.backward();
  const weights = { w: tensor(w), v: tensor(v) };
  const { gradients } = valueAndGrad(weights, () => xs.mul(weights.w).add(weights.v).tanh().sub(ys).square().sum());
  const shown = [w, v, loss.data, W.gradient, gradients.w.itemSync(), B.gradient, gradients.v.itemSync()];
  if (step === 0) console.log("step       w       v    loss     by w (library)     by v (library)");
  if (step % 10 === 0) console.log(`${step}`.padStart(4), shown.map((x) => x.toFixed(4).padStart(7)).join(" "));
  [w, v] = [w - 0.1 * W.gradient, v - 0.1 * B.gradient];
}
