/** The block by jax-js on its wasm backend, compiled by its `jit`. */
import { type BlockEngine, normOf, type Values } from "./block.ts";
import { type JaxArray, openJax } from "./jax-js.ts";

const EPSILON = 1e-5;

interface JaxNumbers extends JaxArray {
  add(other: JaxNumbers): JaxNumbers;
  mul(other: JaxNumbers): JaxNumbers;
  reshape(shape: readonly number[]): JaxNumbers;
  sum(): JaxNumbers;
  readonly ref: JaxNumbers;
}
interface Jax {
  readonly numpy: {
    array(data: Float32Array): JaxNumbers;
    matmul(a: JaxNumbers, b: JaxNumbers): JaxNumbers;
    split(x: JaxNumbers, parts: number, axis: number): [JaxNumbers, JaxNumbers, JaxNumbers];
  };
  readonly nn: {
    gelu(x: JaxNumbers, options: { readonly approximate: boolean }): JaxNumbers;
    standardize(x: JaxNumbers, axis: number, options: { readonly epsilon: number }): JaxNumbers;
    dotProductAttention(
      query: JaxNumbers,
      key: JaxNumbers,
      value: JaxNumbers,
      options: { readonly isCausal: boolean },
    ): JaxNumbers;
  };
  jit<F>(f: F): F;
  valueAndGrad(
    f: (...args: JaxNumbers[]) => JaxNumbers,
    options: { readonly argnums: readonly number[] },
  ): (...args: JaxNumbers[]) => [JaxNumbers, JaxNumbers[]];
  blockUntilReady<Tree>(tree: Tree): Promise<Tree>;
}

export async function loadJaxJsBlock(): Promise<BlockEngine> {
  const { jax, facts } = await openJax<Jax>();
  const { numpy, nn } = jax;
  return {
    facts,
    async prepare({ shape: { T, C, H }, x, weights, cotangent }) {
      const upload = ({ data, shape }: Values): JaxNumbers => numpy.array(data).reshape(shape);
      const factor = upload(cotangent);
      const operands = [x, ...weights].map(upload);

      const layerNorm = (x: JaxNumbers, weight: JaxNumbers, bias: JaxNumbers): JaxNumbers =>
        nn.standardize(x, -1, { epsilon: EPSILON }).mul(weight).add(bias);
      const linear = (x: JaxNumbers, weight: JaxNumbers, bias: JaxNumbers): JaxNumbers =>
        numpy.matmul(x, weight).add(bias);
      const attention = (x: JaxNumbers): JaxNumbers => {
        const [q, k, v] = numpy.split(x, 3, 1);
        const heads = (part: JaxNumbers): JaxNumbers => part.reshape([T, H, C / H]);
        return nn.dotProductAttention(heads(q), heads(k), heads(v), { isCausal: true }).reshape([T, C]);
      };
      const block = (factor: JaxNumbers, x: JaxNumbers, ...w: JaxNumbers[]): JaxNumbers => {
        const at = (i: number): JaxNumbers => w[i] as JaxNumbers;
        const attended = attention(linear(layerNorm(x.ref, at(0), at(1)), at(2), at(3)));
        const middle = x.add(linear(attended, at(4), at(5)));
        const hidden = nn.gelu(linear(layerNorm(middle.ref, at(6), at(7)), at(8), at(9)), { approximate: true });
        return middle
          .add(linear(hidden, at(10), at(11)))
          .mul(factor)
          .sum();
      };
      const loss = jax.jit(jax.valueAndGrad(block, { argnums: operands.map((_, n) => n + 1) }));

      let gradients: JaxNumbers[] = [];
      return {
        async run() {
          for (const gradient of gradients) gradient.dispose();
          const [value, grads] = loss(factor.ref, ...operands.map(({ ref }) => ref));
          gradients = grads;
          await jax.blockUntilReady(grads);
          const [result = Number.NaN] = await value.data();
          return result;
        },
        norms: () => Promise.all(gradients.map(async (gradient) => normOf(await gradient.ref.data()))),
      };
    },
  };
}
