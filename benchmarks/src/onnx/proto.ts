/**
 * The part of ONNX's `ModelProto` that the GPT-2 graph needs, as plain objects: what `onnx-proto`'s `fromObject` takes.
 * Field names are those of onnx.proto3 in camel case.
 */

/** `TensorProto.DataType` and `AttributeProto.AttributeType` numbers of onnx.proto3. */
export const DATA_TYPE = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;
const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, ints: 7 } as const;
const EXTERNAL = 1;
const IR_VERSION = 8;
/** LayerNormalization entered ONNX in opset 17. */
const OPSET = 17;

export type ElementType = keyof typeof DATA_TYPE;
type Attributes = Readonly<Record<string, number | string | readonly number[] | { readonly float: number }>>;
export type Dimension = number | string;

export interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly ints?: readonly number[];
}

export interface Node {
  readonly opType: string;
  readonly domain: string;
  readonly name: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly Attribute[];
}

export interface ValueInfo {
  readonly name: string;
  readonly type: {
    readonly tensorType: {
      readonly elemType: number;
      readonly shape: { readonly dim: readonly ({ readonly dimValue: number } | { readonly dimParam: string })[] };
    };
  };
}

export interface Initializer {
  readonly name: string;
  readonly dataType: number;
  readonly dims: readonly number[];
  readonly int64Data?: readonly number[];
  /** Little-endian. */
  readonly rawData?: Uint8Array;
  readonly dataLocation?: number;
  readonly externalData?: readonly { readonly key: string; readonly value: string }[];
}

export interface Model {
  readonly irVersion: number;
  readonly producerName: string;
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
  readonly graph: {
    readonly name: string;
    readonly node: readonly Node[];
    readonly initializer: readonly Initializer[];
    readonly input: readonly ValueInfo[];
    readonly output: readonly ValueInfo[];
  };
}

/** Collects nodes and initializers in the order they are declared. */
export class GraphBuilder {
  readonly #nodes: Node[] = [];
  readonly #initializers: Initializer[] = [];
  readonly #inputs: ValueInfo[] = [];
  readonly #outputs: ValueInfo[] = [];

  input(name: string, type: ElementType, shape: readonly Dimension[]): string {
    this.#inputs.push(valueInfo(name, type, shape));
    return name;
  }

  output(name: string, type: ElementType, shape: readonly Dimension[]): void {
    this.#outputs.push(valueInfo(name, type, shape));
  }

  /** A float32 weight whose bytes stay where they are: in `file`, at a byte offset. */
  weight(name: string, shape: readonly number[], file: string, offset: number, byteLength: number): string {
    this.#initializers.push(externalInitializer(name, "float", shape, { file, offset, byteLength }));
    return name;
  }

  int64(name: string, values: readonly number[]): string {
    this.#initializers.push({ name, dataType: DATA_TYPE.int64, dims: [values.length], int64Data: values });
    return name;
  }

  /** Adds a node; see {@link makeNode}. Returns the first output. */
  node(...parts: Parameters<typeof makeNode>): string {
    const node = makeNode(...parts);
    this.#nodes.push(node);
    return node.output[0] ?? "";
  }

  build(name: string): Model {
    return {
      irVersion: IR_VERSION,
      producerName: "gpt2-ts-benchmarks",
      opsetImport: [
        { domain: "", version: OPSET },
        { domain: "com.microsoft", version: 1 },
      ],
      graph: {
        name,
        node: this.#nodes,
        initializer: this.#initializers,
        input: this.#inputs,
        output: this.#outputs,
      },
    };
  }
}

/** A weight whose bytes lie in a file next to the model's. */
export function externalInitializer(
  name: string,
  type: ElementType,
  dims: readonly number[],
  { file, offset, byteLength }: { readonly file: string; readonly offset: number; readonly byteLength: number },
): Initializer {
  const entries = { location: file, offset: String(offset), length: String(byteLength) };
  return {
    name,
    dataType: DATA_TYPE[type],
    dims,
    dataLocation: EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
  };
}

/** A node, named after its first output; `output` may hold `""` for optional outputs that nobody reads. */
export function makeNode(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Attributes = {},
  domain: "" | "com.microsoft" = "",
): Node {
  return {
    opType,
    domain,
    name: `${output[0] ?? ""}/${opType}`,
    input,
    output,
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  };
}

function attribute(name: string, value: number | string | readonly number[] | { readonly float: number }): Attribute {
  if (typeof value === "number") return { name, type: ATTRIBUTE_TYPE.int, i: value };
  if (typeof value === "string") return { name, type: ATTRIBUTE_TYPE.string, s: new TextEncoder().encode(value) };
  if ("float" in value) return { name, type: ATTRIBUTE_TYPE.float, f: value.float };
  return { name, type: ATTRIBUTE_TYPE.ints, ints: value };
}

function valueInfo(name: string, type: ElementType, shape: readonly Dimension[]): ValueInfo {
  const dim = shape.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: DATA_TYPE[type], shape: { dim } } } };
}
