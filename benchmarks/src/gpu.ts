/**
 * `npm run bench:gpu`: the gpu device on GPU.js, in every mode that Node has here.
 *
 *     npm run bench:gpu -- [--quick] [--part products|forward|accuracy]... [--product 1024x1024x1024]... [--no-wait]
 *
 * Needs GPU.js (`npm run setup:gpu`); modes that are not there are skipped with a line that says why. Writes
 * `results/<processor>/gpu-node<major>.json`, where each part and product replaces what an earlier run found. Waits first until
 * other programs are quiet, ten minutes at most. `--quick` leaves out what takes minutes, does not wait and writes nothing.
 */
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import type { GpuMode } from "@gpt2-ts/tensor/gpu";
import { chosen } from "./command-line.ts";
import { measureErrors } from "./gpu/accuracy.ts";
import { measureForwards } from "./gpu/forwards.ts";
import { findModes } from "./gpu/modes.ts";
import { measureProducts, PRODUCTS } from "./gpu/products.ts";
import type { GpuResult, ProductComparison } from "./gpu/result.ts";
import { describeMachine } from "./harness/machine.ts";
import { whenQuiet } from "./harness/quiet.ts";
import { readResult, writeResult } from "./results-file.ts";

const PARTS = ["products", "forward", "accuracy"] as const;
type PartName = (typeof PARTS)[number];
/** The others take the README's kernel half a minute each on a software adapter. */
const SMALL_PRODUCTS = PRODUCTS.slice(0, 2);
/** Of the wasm backend, beside which the modes stand. */
const THREADS = 2;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    part: { type: "string", multiple: true, default: [...PARTS] },
    product: { type: "string", multiple: true, default: [...PRODUCTS] },
    "no-wait": { type: "boolean", default: false },
  },
});
const parts = chosen("bench:gpu", "part", options.part, PARTS);
const chosenProducts = chosen("bench:gpu", "product", options.product, PRODUCTS);

const machine = describeMachine();
const versions = { "gpu.js": installedVersion("gpu.js"), webgpu: installedVersion("webgpu") };
console.log(
  `${machine.cpu}, ${machine.cores} cores, Node ${process.version}, GPU.js ${versions["gpu.js"]}, webgpu ${versions.webgpu}`,
);
const found = await findModes(process.execPath);
const modes = found.flatMap(({ mode, facts }) => (facts === undefined ? [] : [mode]));
if (modes.length === 0) {
  console.error("bench:gpu: no mode of GPU.js is here; npm run setup:gpu installs it");
  process.exit(1);
}
const wanted = chosenProducts.filter((name) => !options.quick || SMALL_PRODUCTS.includes(name));
const { conditions, result: measured } = await whenQuiet(
  { node: process.execPath, wait: !(options.quick || options["no-wait"]) },
  async () => ({
    products: wants("products") ? await measureProducts(modes, process.execPath, THREADS, wanted) : undefined,
    forwards: wants("forward") ? await measureForwards(modes, process.execPath) : undefined,
    errors: wants("accuracy") ? await accuracy() : undefined,
  }),
  ({ products = [] }) => products,
);
const { products, forwards, errors } = measured;

if (!options.quick) {
  const earlier = await readResult<GpuResult>("gpu", conditions);
  const result: GpuResult = {
    ...earlier,
    kind: "gpu",
    command: "npm run bench:gpu",
    conditions,
    versions,
    modes: found,
    ...(products && { products: merged(earlier?.products, products) }),
    ...(forwards && { forwards }),
    ...(errors && { errors }),
  };
  console.log(`\nwrote ${await writeResult("gpu", conditions, result)}`);
}

function wants(part: PartName): boolean {
  return parts.includes(part);
}

/** All products in their order, new ones in place of old ones. */
function merged(old: readonly ProductComparison[] = [], found: readonly ProductComparison[]): ProductComparison[] {
  const nameOf = ({ sizes }: ProductComparison): string => sizes.join("x");
  const all = new Map([...old, ...found].map((comparison) => [nameOf(comparison), comparison]));
  return PRODUCTS.flatMap((name) => all.get(name) ?? []);
}

async function accuracy() {
  const tiny = await measureErrors("synthetic-tiny", 64, modes);
  const large: readonly GpuMode[] = options.quick ? [] : modes.filter((mode) => mode === "webgpu");
  return [...tiny, ...(await measureErrors("synthetic-124m", 8, large))];
}

function installedVersion(name: string): string {
  try {
    return (createRequire(import.meta.url)(`${name}/package.json`) as { readonly version: string }).version;
  } catch {
    return "not installed";
  }
}
