import type { Dtype } from "safetensors-ts";
import type { Fail, PicklePolicy, PickleValue } from "./pickle/index.ts";

/** A name of Python's that the pickle of a state dict may mention. It is never looked up. */
export class TorchName {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Numbers in the file, outside the pickle. Tensors share one as views of it. */
export class TorchStorage {
  /** What the file calls it. */
  readonly key: string;
  readonly dtype: Dtype;
  readonly elementBytes: number;
  /** Elements. */
  readonly size: number;
  constructor(key: string, { dtype, bytes }: StorageType, size: number) {
    this.key = key;
    this.dtype = dtype;
    this.elementBytes = bytes;
    this.size = size;
  }
  get byteLength(): number {
    return this.size * this.elementBytes;
  }
}

/** A tensor as a view of a storage. Every element lies within it, and there are no more than the storage has. */
export class TorchTensor {
  readonly storage: TorchStorage;
  /** Elements of the storage before the first. */
  readonly offset: number;
  readonly shape: readonly number[];
  /** Elements of the storage from one index of each dimension to the next. */
  readonly strides: readonly number[];
  /** The number of elements. */
  readonly size: number;
  constructor(
    storage: TorchStorage,
    { offset, shape, strides }: Pick<TorchTensor, "offset" | "shape" | "strides">,
    size: number,
  ) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
    this.size = size;
  }
}

export type TorchObject = TorchName | TorchStorage | TorchTensor;
export type TorchValue = PickleValue<TorchObject>;

interface StorageType {
  readonly dtype: Dtype;
  /** Of an element. */
  readonly bytes: number;
}

const STORAGE_TYPES: ReadonlyMap<string, StorageType> = new Map([
  ["torch.FloatStorage", { dtype: "F32", bytes: 4 }],
  ["torch.HalfStorage", { dtype: "F16", bytes: 2 }],
  ["torch.BFloat16Storage", { dtype: "BF16", bytes: 2 }],
  ["torch.DoubleStorage", { dtype: "F64", bytes: 8 }],
  ["torch.LongStorage", { dtype: "I64", bytes: 8 }],
  ["torch.IntStorage", { dtype: "I32", bytes: 4 }],
  ["torch.ShortStorage", { dtype: "I16", bytes: 2 }],
  ["torch.CharStorage", { dtype: "I8", bytes: 1 }],
  ["torch.ByteStorage", { dtype: "U8", bytes: 1 }],
  ["torch.BoolStorage", { dtype: "BOOL", bytes: 1 }],
]);

type Call = (args: readonly TorchValue[], fail: Fail) => TorchValue;

/** What may be called, and what happens instead. Arguments that are not taken say nothing about the numbers. */
const CALLS: ReadonlyMap<string, Call> = new Map<string, Call>([
  ["collections.OrderedDict", orderedDict],
  [
    "torch._utils._rebuild_tensor",
    ([storage, offset, size, stride], fail) => tensor(storage, offset, size, stride, fail),
  ],
  // and requires_grad, backward_hooks, metadata
  [
    "torch._utils._rebuild_tensor_v2",
    ([storage, offset, size, stride], fail) => tensor(storage, offset, size, stride, fail),
  ],
  ["torch._utils._rebuild_parameter", parameter], // data, requires_grad, backward_hooks
  ["torch._utils._rebuild_parameter_with_state", parameter], // and state
  ["torch.Size", ([sizes], fail) => Object.freeze([...indices(sizes, "size", fail)])],
]);

/** `torch.Tensor` has at most as many dimensions. */
const MAX_DIMENSIONS = 64;
/** A training checkpoint of GPT-2 XL takes about 100,000. */
const MAX_INSTRUCTIONS = 2 ** 20;

/**
 * The pickle of a state dict, and nothing else: dicts, tensors and the storages that they view. Nothing is ever run.
 *
 * @param storages is filled with the storages that are named, by their keys
 */
export function torchPolicy(storages: Map<string, TorchStorage>): PicklePolicy<TorchObject> {
  const names = new Map([...STORAGE_TYPES.keys(), ...CALLS.keys()].map((name) => [name, new TorchName(name)]));
  return {
    maxInstructions: MAX_INSTRUCTIONS,
    refusal: () => "a state dict has no such thing, and nothing is ever run",
    global(module, name, fail) {
      const known = names.get(`${module}.${name}`);
      if (known) return known;
      return fail(`it names ${`${module}.${name}`.slice(0, 120)}: ${hint(module)}, and nothing is ever run`);
    },
    call(callable, args, fail) {
      const call = callable instanceof TorchName ? CALLS.get(callable.name) : undefined;
      return call ? call(args, fail) : fail("it calls something that is no function of a state dict");
    },
    setState(object, state, fail) {
      // A state dict's `_metadata`: versions of modules.
      if (!(object instanceof Map && state instanceof Map))
        fail("it sets the state of something that is no OrderedDict");
    },
    persistent(id, fail) {
      const storage = storageOf(id, fail);
      const before = storages.get(storage.key);
      if (before === undefined) storages.set(storage.key, storage);
      else if (before.dtype !== storage.dtype || before.size !== storage.size) {
        fail(`storage ${show(storage.key)} is of two dtypes or sizes`);
      }
      return before ?? storage;
    },
  };
}

function hint(module: string): string {
  if (module.startsWith("__torch__")) return "this is a TorchScript program; save the model's state_dict()";
  return "only tensors and dicts are read; save the model's state_dict()";
}

function orderedDict([items]: readonly TorchValue[], fail: Fail): TorchValue {
  const dict = new Map<TorchValue, TorchValue>();
  if (items === undefined) return dict;
  // Python 2 writes a list of pairs.
  if (!Array.isArray(items)) return fail("an OrderedDict of something that is no list of pairs");
  for (const pair of items) {
    if (!Array.isArray(pair) || pair.length !== 2) return fail("an OrderedDict of something that is no list of pairs");
    dict.set(pair[0], pair[1]);
  }
  return dict;
}

function parameter([data]: readonly TorchValue[], fail: Fail): TorchValue {
  return data instanceof TorchTensor ? data : fail("a parameter of something that is no tensor");
}

/** `("storage", type, key, location, size)`; the older format adds None, or which part of the storage is meant. */
function storageOf(id: TorchValue, fail: Fail): TorchStorage {
  if (!Array.isArray(id)) return fail("a persistent id that is no tuple");
  const [kind, type, key, , size, view = null] = id as readonly TorchValue[];
  const storageType = type instanceof TorchName ? STORAGE_TYPES.get(type.name) : undefined;
  if (kind !== "storage" || !storageType || typeof key !== "string") return fail("a persistent id that is no storage");
  if (!isIndex(size)) return fail("a storage whose size is no integer from 0");
  if (view !== null)
    return fail("a part of a storage, as PyTorch wrote them before 0.4: save it again with a newer version");
  return new TorchStorage(key, storageType, size);
}

function tensor(
  storage: TorchValue | undefined,
  offset: TorchValue | undefined,
  shape: TorchValue | undefined,
  strides: TorchValue | undefined,
  fail: Fail,
): TorchTensor {
  if (!(storage instanceof TorchStorage)) return fail("a tensor without a storage");
  if (!isIndex(offset)) return fail("a tensor whose offset is no integer from 0");
  const sizes = indices(shape, "size", fail);
  const steps = indices(strides, "stride", fail);
  if (steps.length !== sizes.length) fail(`a tensor with ${sizes.length} sizes and ${steps.length} strides`);
  if (sizes.length > MAX_DIMENSIONS) fail(`a tensor of ${sizes.length} dimensions`);
  const size = sizes.includes(0) ? 0 : sizes.reduce((product, dim) => product * dim, 1);
  if (size > storage.size) fail(`a tensor of ${size} elements in a storage of ${storage.size}`);
  const last = size === 0 ? -1 : sizes.reduce((index, dim, i) => index + (dim - 1) * steps[i]!, offset);
  if (last >= storage.size) fail(`a tensor whose last element is number ${last} of a storage of ${storage.size}`);
  return new TorchTensor(storage, { offset, shape: sizes, strides: steps }, size);
}

function indices(value: TorchValue | undefined, what: string, fail: Fail): readonly number[] {
  if (Array.isArray(value) && value.every(isIndex)) return value;
  return fail(`a ${what} that is no tuple of integers from 0`);
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function show(key: string): string {
  return JSON.stringify(key.slice(0, 60));
}
