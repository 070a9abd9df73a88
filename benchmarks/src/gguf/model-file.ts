/** Writes a GPT-2 folder as a GGUF file next to it, for llama.cpp: float32, or Q8_0 as `llama-quantize` makes it. */
import { type FileHandle, open as openFile } from "node:fs/promises";
import { join } from "node:path";
import { open, type SafeTensors } from "safetensors-ts";
import { transpose } from "../layout.ts";
import { readConfig } from "../onnx/model-file.ts";
import type { SyntheticConfig } from "../synthetic.ts";
import { encodeHeader, type MetadataValue, padding, type TensorEntry, type TensorType } from "./format.ts";
import { q8ByteLength, quantizeQ8 } from "./q8-0.ts";

/** Numbers of llama.cpp's `enum llama_ftype`, and of the layout that ggml's quantized blocks have today. */
const FILE_TYPE = { f32: 0, q8_0: 7 } as const satisfies Record<TensorType, number>;
const QUANTIZATION_VERSION = 2;
const NORMAL_TOKEN = 1;

/** Where a tensor of the file comes from. */
interface Plan extends TensorEntry {
  readonly source: string;
  /** GPT-2 keeps matrices as [in, out], llama.cpp as [out, in]. */
  readonly transposed: boolean;
}

/** Returns the file's path. */
export async function writeGguf(folder: string, type: TensorType): Promise<string> {
  const config = await readConfig(folder);
  await using weights = await open(join(folder, "model.safetensors"));
  const tensors = plan(config, weights, type);
  const path = join(folder, `model-${type}.gguf`);
  const file = await openFile(path, "w");
  try {
    await file.writeFile(encodeHeader(metadata(config, type), tensors));
    for (const tensor of tensors) await writeTensor(file, tensor, await weights.readFloat32(tensor.source));
  } finally {
    await file.close();
  }
  return path;
}

async function writeTensor(file: FileHandle, tensor: Plan, values: Float32Array): Promise<void> {
  const [rows = 1, columns = 1] = tensor.shape;
  const laidOut = tensor.transposed ? transpose(values, columns, rows) : values;
  const bytes = tensor.type === "q8_0" ? quantizeQ8(laidOut) : bytesOf(laidOut);
  await file.writeFile(bytes);
  await file.writeFile(new Uint8Array(padding(bytes.length)));
}

/** The tensors in llama.cpp's names and order. There is no `output.weight`: it falls back to the embeddings. */
function plan({ n_layer }: SyntheticConfig, weights: SafeTensors, type: TensorType): Plan[] {
  const tensor = (name: string, source: string, kind: "table" | "matrix" | "vector"): Plan => {
    const { shape } = weights.info(source);
    // llama-quantize leaves vectors and the position embeddings in float32.
    const own = kind === "vector" || source === "wpe.weight" ? "f32" : type;
    const elements = shape.reduce((product, size) => product * size, 1);
    const byteLength = own === "q8_0" ? q8ByteLength(elements) : elements * Float32Array.BYTES_PER_ELEMENT;
    const transposed = kind === "matrix";
    return { name, source, shape: transposed ? shape.toReversed() : shape, type: own, byteLength, transposed };
  };
  const pair = (name: string, source: string, kind: "matrix" | "vector"): Plan[] => [
    tensor(`${name}.weight`, `${source}.weight`, kind),
    tensor(`${name}.bias`, `${source}.bias`, "vector"),
  ];
  const blocks = Array.from({ length: n_layer }, (_, i) => [
    ...pair(`blk.${i}.attn_norm`, `h.${i}.ln_1`, "vector"),
    ...pair(`blk.${i}.attn_qkv`, `h.${i}.attn.c_attn`, "matrix"),
    ...pair(`blk.${i}.attn_output`, `h.${i}.attn.c_proj`, "matrix"),
    ...pair(`blk.${i}.ffn_norm`, `h.${i}.ln_2`, "vector"),
    ...pair(`blk.${i}.ffn_up`, `h.${i}.mlp.c_fc`, "matrix"),
    ...pair(`blk.${i}.ffn_down`, `h.${i}.mlp.c_proj`, "matrix"),
  ]);
  return [
    tensor("token_embd.weight", "wte.weight", "table"),
    tensor("position_embd.weight", "wpe.weight", "table"),
    ...blocks.flat(),
    ...pair("output_norm", "ln_f", "vector"),
  ];
}

/** Prompts are token ids, so the tokens' texts are placeholders: llama.cpp asks for a vocabulary, but never uses it here. */
function metadata(config: SyntheticConfig, type: TensorType): Map<string, MetadataValue> {
  const tokens = Array.from({ length: config.vocab_size }, (_, id) => `t${id}`);
  const u32 = (value: number): MetadataValue => ({ type: "u32", value });
  const string = (value: string): MetadataValue => ({ type: "string", value });
  return new Map<string, MetadataValue>([
    ["general.architecture", string("gpt2")],
    ["gpt2.block_count", u32(config.n_layer)],
    ["gpt2.context_length", u32(config.n_positions)],
    ["gpt2.embedding_length", u32(config.n_embd)],
    ["gpt2.feed_forward_length", u32(4 * config.n_embd)],
    ["gpt2.attention.head_count", u32(config.n_head)],
    ["gpt2.attention.layer_norm_epsilon", { type: "f32", value: config.layer_norm_epsilon }],
    ["general.file_type", u32(FILE_TYPE[type])],
    ["general.quantization_version", u32(QUANTIZATION_VERSION)],
    ["tokenizer.ggml.model", string("gpt2")],
    ["tokenizer.ggml.pre", string("gpt-2")],
    ["tokenizer.ggml.tokens", { type: "string[]", value: tokens }],
    ["tokenizer.ggml.token_type", { type: "i32[]", value: tokens.map(() => NORMAL_TOKEN) }],
    ["tokenizer.ggml.merges", { type: "string[]", value: ["t 0"] }],
    ["tokenizer.ggml.bos_token_id", u32(config.bos_token_id)],
    ["tokenizer.ggml.eos_token_id", u32(config.eos_token_id)],
  ]);
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
