/** The block of `@gpt2-ts/tensor`, of the operations that the model's forward pass is made of. */
import {
  attention,
  createWasmBackend,
  fromData,
  layerNorm,
  linear,
  type Tensor,
  tidy,
  valueAndGrad,
} from "@gpt2-ts/tensor";
import { type BlockEngine, normOf, type Values } from "./block.ts";

const EPSILON = 1e-5;

type Matrix = Tensor<[number, number]>;
type Vector = Tensor<[number]>;

export async function loadGpt2TsBlock({ threads }: { readonly threads: number }): Promise<BlockEngine> {
  const device = createWasmBackend({ threads });
  const { relaxedSimd } = device.info();
  return {
    facts: { engine: "gpt2-ts", backend: "wasm", threads, relaxedSimd },
    async prepare({ shape: { T, C, H }, x, weights, cotangent }) {
      const upload = ({ data, shape }: Values): Tensor => fromData(data, shape, { device });
      const factor = upload(cotangent) as Matrix;
      const operands = [x, ...weights].map(upload);
      const [input, ...w] = operands as [Matrix, ...Tensor[]];
      const matrix = (i: number): Matrix => w[i] as Matrix;
      const vector = (i: number): Vector => w[i] as unknown as Vector;
      const heads = (part: Matrix): Tensor<[number, number, number]> => part.reshape([T, H, C / H]);

      const loss = (): Tensor<[]> =>
        tidy(() => {
          const [q, k, v] = linear(layerNorm(input, vector(0), vector(1), EPSILON), matrix(2), vector(3)).split(
            [C, C, C],
            -1,
          );
          const attended = attention(heads(q), heads(k), heads(v)).reshape([T, C]);
          const middle = input.add(linear(attended, matrix(4), vector(5))) as Matrix;
          const normal = layerNorm(middle, vector(6), vector(7), EPSILON);
          const hidden = linear(normal, matrix(8), vector(9), { activation: "gelu" });
          return middle
            .add(linear(hidden, matrix(10), vector(11)))
            .mul(factor)
            .sum();
        });

      let gradients: readonly Tensor[] = [];
      return {
        async run() {
          for (const gradient of gradients) gradient.dispose();
          const { value, gradients: found } = valueAndGrad(operands, loss);
          gradients = found;
          const result = value.itemSync();
          value.dispose();
          return result;
        },
        norms: async () => gradients.map((gradient) => normOf(gradient.dataSync())),
      };
    },
  };
}
