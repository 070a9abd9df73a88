import {
  bytesAs,
  cacheBytesPerToken,
  convertedTo,
  defaultCacheDtype,
  fitConfig,
  type GPT2Config,
  loadConfig,
  modelSource,
  openCheckpoint,
  parameterCount,
  weightsFor,
} from "@gpt2-ts/gpt2";
import { createWasmBackend, type MatrixEncoding } from "@gpt2-ts/tensor";
import type { GpuMode } from "@gpt2-ts/tensor/gpu";
import { Command } from "commander";
import { amount, grouped } from "./amount.ts";
import { findModel, type ModelChoice } from "./find-model.ts";
import { findGpu, type GpuFound } from "./gpu-info.ts";
import { interruptible } from "./interruption.ts";
import { addModelChoice, cacheDtypeOption, dtypeOption, gpuModeOption } from "./model-options.ts";
import { writeNote, writeOut } from "./output.ts";
import { formatBytes } from "./progress.ts";

interface InfoFlags extends ModelChoice {
  readonly dtype?: MatrixEncoding;
  readonly cacheDtype?: MatrixEncoding;
  readonly gpuMode?: GpuMode | "auto";
  readonly json?: true;
}

/** What can be known about a model without loading it, and about the machine. */
interface Info {
  readonly model: string;
  readonly config: GPT2Config;
  readonly parameters: number;
  /** How the checkpoint stores its tensors: their number and bytes by dtype. */
  readonly stored: Readonly<Record<string, { readonly tensors: number; readonly bytes: number }>>;
  /** Bytes, with the weights kept as `dtype`, and keys and values as `cacheDtype`. */
  readonly memory: {
    readonly dtype: MatrixEncoding;
    readonly weights: number;
    readonly cacheDtype: MatrixEncoding;
    readonly kvCachePerToken: number;
  };
  readonly devices: Readonly<Record<"wasm" | "reference" | "gpu", string>>;
  readonly gpu: GpuFound;
}

/** `gpt2 info`. */
export function infoCommand(): Command {
  return addModelChoice(new Command("info"))
    .description("show a model's config, parameters, dtypes and memory, and the devices found")
    .addOption(dtypeOption())
    .addOption(cacheDtypeOption())
    .addOption(gpuModeOption())
    .option("--json", "as one line of JSON")
    .action((flags: InfoFlags) =>
      interruptible(async (signal) => {
        const info = await gather(await findModel(flags, signal), flags, signal);
        await writeOut(flags.json ? `${JSON.stringify(info)}\n` : describe(info));
      }),
    );
}

async function gather(folder: string, flags: InfoFlags, signal: AbortSignal): Promise<Info> {
  const source = await modelSource(folder, signal);
  const said = await loadConfig(source);
  const stored: Record<string, { tensors: number; bytes: number }> = {};
  const checkpoint = await openCheckpoint(source, { signal });
  await using tensors = checkpoint.tensors;
  const config = await fitConfig(checkpoint, said, (warning) => writeNote(`gpt2: ${warning}\n`));
  for (const name of tensors.names) {
    const { dtype, byteLength } = await tensors.info(name);
    const { tensors: count, bytes } = stored[dtype] ?? { tensors: 0, bytes: 0 };
    stored[dtype] = { tensors: count + 1, bytes: bytes + byteLength };
  }
  const dtype = flags.dtype ?? convertedTo(tensors.metadata, checkpoint.path) ?? "f32";
  const parameters = parameterCount(config);
  const weights = weightsFor(config).reduce((total, weight) => total + bytesAs(dtype, weight), 0);
  const cacheDtype = flags.cacheDtype ?? defaultCacheDtype(dtype);
  const memory = { dtype, weights, cacheDtype, kvCachePerToken: cacheBytesPerToken(config, cacheDtype) };
  const gpu = await findGpu(flags.gpuMode);
  const devices = { wasm: findWasm(), gpu: gpu.summary, reference: "plain TypeScript" };
  return { model: source.name, config, parameters, stored, memory, devices, gpu };
}

function findWasm(): string {
  try {
    const backend = createWasmBackend();
    const { threads, relaxedSimd } = backend.info();
    backend.dispose();
    return `SIMD${relaxedSimd ? ", relaxed SIMD" : ""}, ${amount(threads, "thread")}`;
  } catch (error) {
    return `not available: ${(error as Error).message}`;
  }
}

function describe({ model, config, parameters, stored, memory, devices, gpu }: Info): string {
  const fields = Object.entries(config).map(([name, value]) => `${name} ${[value].flat().join(", ") || "none"}`);
  const dtypes = Object.entries(stored).map(
    ([dtype, { tensors, bytes }]) => `${dtype}: ${amount(tensors, "tensor")}, ${formatBytes(bytes)}`,
  );
  const cache = memory.kvCachePerToken * config.nPositions;
  const lines: [string, readonly string[]][] = [
    ["model", [model]],
    ["config", fields],
    ["parameters", [grouped(parameters)]],
    ["stored as", dtypes],
    [
      "memory",
      [
        `weights ${formatBytes(memory.weights)} as ${memory.dtype}`,
        `KV cache ${formatBytes(memory.kvCachePerToken)} a token as ${memory.cacheDtype}, ${formatBytes(cache)} for a full context`,
      ],
    ],
    ["devices", Object.entries(devices).map(([name, what]) => `${name}: ${what}`)],
    ["gpu modes", gpu.trials.map(({ mode, answer }) => `${mode}: ${answer}`)],
  ];
  return lines
    .flatMap(([title, values]) => values.map((value, i) => `${(i === 0 ? title : "").padEnd(12)}${value}\n`))
    .join("");
}
