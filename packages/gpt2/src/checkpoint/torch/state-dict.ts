import { ModelFormatError } from "../../errors.ts";
import { TorchTensor, type TorchValue } from "./objects.ts";

/** Where training scripts keep the state dict among the other things that they save. */
const STATE_DICT_KEYS = ["model", "state_dict", "model_state_dict", "module"] as const;

export interface StateDict {
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  /** The key that it was found under, if it is not all of the file. */
  readonly key: string | undefined;
}

/** The state dict that a file holds: all of it, or what lies under a usual key. */
export function findStateDict(root: TorchValue, path: string): StateDict {
  if (!(root instanceof Map))
    throw new ModelFormatError(path, "expected a state dict, a dict of tensors by their names");
  const found = STATE_DICT_KEYS.flatMap((key) => {
    const tensors = tensorsOf(root.get(key));
    return tensors.size > 0 ? [{ tensors, key }] : [];
  });
  if (found.length > 1) {
    const keys = found.map(({ key }) => JSON.stringify(key)).join(" and ");
    throw new ModelFormatError(path, `it has state dicts under ${keys}; save the one that is meant by itself`);
  }
  if (found[0]) return found[0];
  const tensors = tensorsOf(root);
  if (tensors.size > 0) return { tensors, key: undefined };
  const expected = STATE_DICT_KEYS.map((key) => JSON.stringify(key)).join(", ");
  throw new ModelFormatError(path, `no tensors, alone or under ${expected}; ${describeKeys(root)}`);
}

function tensorsOf(value: TorchValue | undefined): Map<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  if (!(value instanceof Map)) return tensors;
  for (const [name, item] of value)
    if (typeof name === "string" && item instanceof TorchTensor) tensors.set(name, item);
  return tensors;
}

function describeKeys(dict: ReadonlyMap<TorchValue, TorchValue>): string {
  if (dict.size === 0) return "it is an empty dict";
  const keys = [...dict.keys()]
    .slice(0, 10)
    .map((key) => (typeof key === "string" ? JSON.stringify(key.slice(0, 40)) : "?"));
  return `its keys are ${keys.join(", ")}${dict.size > keys.length ? ", …" : ""}`;
}
