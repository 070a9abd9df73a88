/** Writes GPT-2 folders as ONNX graphs, next to the weights that they refer to. */
import { constants, copyFile, mkdir, open as openFile, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { open } from "safetensors-ts";
import { requirePeer } from "../engines/peers.ts";
import { transpose } from "../layout.ts";
import type { SyntheticConfig } from "../synthetic.ts";
import { buildGpt2Graph, type Gpt2GraphOptions, type WeightLocation } from "./gpt2-graph.ts";
import type { Model } from "./proto.ts";
import { quantizeDynamic } from "./quantize.ts";

/** The part of `onnx-proto` (ONNX's protocol buffers, generated) that is used here. */
interface OnnxProto {
  readonly onnx: {
    readonly ModelProto: {
      fromObject(model: object): object;
      encode(message: object): { finish(): Uint8Array };
    };
  };
}

type Variant = Pick<Gpt2GraphOptions, "attention" | "head">;

/**
 * The fastest of the variants on the machines where all were measured (onnxruntime-node 1.30, AVX2): see
 * {@link Gpt2GraphOptions} for what else there is.
 */
export const FASTEST: Variant = { attention: "attention", head: "matmul" };
/** All its products with weights are MatMul nodes: what there is to quantize. */
const PLAIN: Variant = { attention: "multi-head", head: "weight" };
const PADDED: Variant = { attention: "padded", head: "matmul" };

const WEIGHT_FILE = "model.safetensors";
const INT8_FILE = "model-int8.bin";

/** Returns the file's path. */
export async function writeOnnxModel(folder: string): Promise<string> {
  const model = buildGpt2Graph(await readConfig(folder), await locations(folder), {
    ...FASTEST,
    weightFile: WEIGHT_FILE,
  });
  return encodeTo(join(folder, "model.onnx"), model);
}

/** As onnxruntime's dynamic quantization makes it. Returns the file's path. */
export async function writeInt8OnnxModel(folder: string): Promise<string> {
  await using tensors = await open(join(folder, WEIGHT_FILE));
  const file = await openFile(join(folder, INT8_FILE), "w");
  let length = 0;
  try {
    const model = await quantizeDynamic(await plainGraph(folder), {
      weightFile: INT8_FILE,
      read: async (name) => {
        if (name !== "lm_head") return tensors.readFloat32(name);
        const [rows = 0, columns = 0] = tensors.info("wte.weight").shape;
        return transpose(await tensors.readFloat32("wte.weight"), rows, columns);
      },
      append: async (bytes) => {
        await file.writeFile(bytes);
        length += bytes.length;
        return length - bytes.length;
      },
    });
    return await encodeTo(join(folder, "model-int8.onnx"), model);
  } finally {
    await file.close();
  }
}

/** The graph whose int8 version {@link writeInt8OnnxModel} writes. It has no bytes for `lm_head`. */
export async function plainGraph(folder: string): Promise<Model> {
  const weights = await locations(folder);
  const [rows = 0, columns = 0] = weights.get("wte.weight")?.shape ?? [];
  weights.set("lm_head", { shape: [columns, rows], offset: 0, byteLength: 0 });
  return buildGpt2Graph(await readConfig(folder), weights, { ...PLAIN, weightFile: WEIGHT_FILE });
}

/**
 * A folder as transformers.js opens it: `config.json` and `onnx/model.onnx`, which reads the weights of `folder`. Returns
 * the new folder's path.
 */
export async function writeHubFolder(folder: string): Promise<string> {
  const hub = join(folder, "hub");
  const weights = join(hub, "onnx", WEIGHT_FILE); // onnxruntime reads only files in the model's own folder
  await mkdir(dirname(weights), { recursive: true });
  await copyFile(join(folder, "config.json"), join(hub, "config.json"));
  await copyFile(join(folder, WEIGHT_FILE), weights, constants.COPYFILE_FICLONE);
  const options = { ...PADDED, weightFile: WEIGHT_FILE };
  await encodeTo(
    join(hub, "onnx", "model.onnx"),
    buildGpt2Graph(await readConfig(folder), await locations(folder), options),
  );
  return hub;
}

export async function readConfig(folder: string): Promise<SyntheticConfig> {
  return JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
}

/** Where each weight lies in `model.safetensors`. */
async function locations(folder: string): Promise<Map<string, WeightLocation>> {
  const weights = new Map<string, WeightLocation>();
  await using tensors = await open(join(folder, WEIGHT_FILE));
  for (const name of tensors.names) {
    const { shape, byteOffset, byteLength, dtype } = tensors.info(name);
    if (dtype !== "F32") throw new TypeError(`${name} is ${dtype}; the graph reads float32 weights in place`);
    weights.set(name, { shape, offset: byteOffset, byteLength });
  }
  return weights;
}

async function encodeTo(path: string, model: Model): Promise<string> {
  const { ModelProto } = requirePeer<OnnxProto>("onnx-proto").onnx;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, ModelProto.encode(ModelProto.fromObject(model)).finish());
  return path;
}
