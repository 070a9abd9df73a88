/** The block by TensorFlow.js on its wasm backend, composed of its operations as its users would. */
import { type BlockEngine, normOf, type Values } from "./block.ts";
import { requirePeer } from "./peers.ts";
import { openTfjs, type TfTensor } from "./tfjs.ts";

const EPSILON = 1e-5;
const MASKED = -1e9;

interface Tf {
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  scalar(value: number): TfTensor;
  add(a: TfTensor, b: TfTensor | number): TfTensor;
  sub(a: TfTensor, b: TfTensor): TfTensor;
  mul(a: TfTensor, b: TfTensor | number): TfTensor;
  square(x: TfTensor): TfTensor;
  rsqrt(x: TfTensor): TfTensor;
  tanh(x: TfTensor): TfTensor;
  mean(x: TfTensor, axis: number, keepDims: boolean): TfTensor;
  sum(x: TfTensor): TfTensor;
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor;
  softmax(x: TfTensor): TfTensor;
  split(x: TfTensor, parts: number, axis: number): TfTensor[];
  reshape(x: TfTensor, shape: readonly number[]): TfTensor;
  transpose(x: TfTensor, axes: readonly number[]): TfTensor;
  valueAndGrads(f: (...args: TfTensor[]) => TfTensor): (args: TfTensor[]) => { value: TfTensor; grads: TfTensor[] };
}

export async function loadTfjsBlock(): Promise<BlockEngine> {
  requirePeer<unknown>("@tensorflow/tfjs"); // registers the gradients, which its core does not do in Node
  const { tf, facts } = await openTfjs<Tf>();
  return {
    facts,
    async prepare({ shape: { T, C, H }, x, weights, cotangent }) {
      const upload = ({ data, shape }: Values): TfTensor => tf.tensor(data, shape);
      const above = Float32Array.from({ length: T * T }, (_, i) => (i % T > Math.floor(i / T) ? MASKED : 0));
      const [mask, factor] = [tf.tensor(above, [T, T]), upload(cotangent)];
      const operands = [x, ...weights].map(upload);

      const layerNorm = (x: TfTensor, weight: TfTensor, bias: TfTensor): TfTensor => {
        const centred = tf.sub(x, tf.mean(x, 1, true));
        const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), 1, true), EPSILON));
        return tf.add(tf.mul(tf.mul(centred, scale), weight), bias);
      };
      const linear = (x: TfTensor, weight: TfTensor, bias: TfTensor): TfTensor => tf.add(tf.matMul(x, weight), bias);
      const gelu = (x: TfTensor): TfTensor => {
        const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
        return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
      };
      const attention = (x: TfTensor): TfTensor => {
        const heads = (part: TfTensor): TfTensor => tf.transpose(tf.reshape(part, [T, H, C / H]), [1, 0, 2]);
        const [q, k, v] = tf.split(x, 3, 1).map(heads) as [TfTensor, TfTensor, TfTensor];
        const scores = tf.add(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(C / H)), mask);
        return tf.reshape(tf.transpose(tf.matMul(tf.softmax(scores), v), [1, 0, 2]), [T, C]);
      };
      const loss = tf.valueAndGrads((x, ...w) => {
        const at = (i: number): TfTensor => w[i] as TfTensor;
        const attended = attention(linear(layerNorm(x, at(0), at(1)), at(2), at(3)));
        const middle = tf.add(x, linear(attended, at(4), at(5)));
        const hidden = gelu(linear(layerNorm(middle, at(6), at(7)), at(8), at(9)));
        return tf.sum(tf.mul(tf.add(middle, linear(hidden, at(10), at(11))), factor));
      });

      let gradients: TfTensor[] = [];
      return {
        async run() {
          for (const gradient of gradients) gradient.dispose();
          const { value, grads } = loss(operands);
          gradients = grads;
          const [result = Number.NaN] = value.dataSync(); // kernels have run when their calls return
          value.dispose();
          return result;
        },
        norms: async () => gradients.map((gradient) => normOf(gradient.dataSync())),
      };
    },
  };
}
