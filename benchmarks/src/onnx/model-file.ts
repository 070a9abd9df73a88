/** Writes the ONNX graph of a model folder into that folder, next to the weights that it refers to. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { open } from "safetensors-ts";
import { requirePeer } from "../engines/peers.ts";
import type { SyntheticConfig } from "../synthetic.ts";
import { buildGpt2Graph, type Gpt2GraphOptions, type WeightLocation } from "./gpt2-graph.ts";

/** The part of `onnx-proto` (ONNX's protocol buffers, generated) that is used here. */
interface OnnxProto {
  readonly onnx: {
    readonly ModelProto: {
      fromObject(model: object): object;
      encode(message: object): { finish(): Uint8Array };
    };
  };
}

/**
 * The fastest of the variants on the machines where all were measured (onnxruntime-node 1.30, AVX2): see
 * {@link Gpt2GraphOptions} for what else there is.
 */
export const FASTEST: Pick<Gpt2GraphOptions, "attention" | "head"> = { attention: "attention", head: "matmul" };

/** Returns the file's path. */
export async function writeOnnxModel(folder: string): Promise<string> {
  const weightFile = "model.safetensors";
  const weights = new Map<string, WeightLocation>();
  await using tensors = await open(join(folder, weightFile));
  for (const name of tensors.names) {
    const { shape, byteOffset, byteLength, dtype } = tensors.info(name);
    if (dtype !== "F32") throw new TypeError(`${name} is ${dtype}; the graph reads float32 weights in place`);
    weights.set(name, { shape, offset: byteOffset, byteLength });
  }
  const model = buildGpt2Graph(await readConfig(folder), weights, { ...FASTEST, weightFile });
  const { ModelProto } = requirePeer<OnnxProto>("onnx-proto").onnx;
  const path = join(folder, "model.onnx");
  await writeFile(path, ModelProto.encode(ModelProto.fromObject(model)).finish());
  return path;
}

export async function readConfig(folder: string): Promise<SyntheticConfig> {
  return JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
}
