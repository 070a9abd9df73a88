/**
 * What a pickle may hold: plain data, and what its policy makes of names and calls. Tuples are frozen arrays, dicts are maps,
 * integers past 2^53 are bigints.
 */
export type PickleValue<Extra = never> =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly PickleValue<Extra>[]
  | Map<PickleValue<Extra>, PickleValue<Extra>>
  | Extra;

/** Throws a PickleError about the instruction that is being executed. */
export type Fail = (message: string) => never;

/**
 * What the instructions that name, make or change an object of a class do. Python would import and call what the file names;
 * here they do what the policy says, and are errors where it says nothing.
 */
export interface PicklePolicy<Extra = never> {
  /** Why such an instruction is refused. */
  refusal(instruction: string): string;
  /** What `module.name` stands for. */
  readonly global?: (module: string, name: string, fail: Fail) => PickleValue<Extra>;
  /** `callable(*args)`. */
  readonly call?: (callable: PickleValue<Extra>, args: readonly PickleValue<Extra>[], fail: Fail) => PickleValue<Extra>;
  /** `object.__setstate__(state)`. */
  readonly setState?: (object: PickleValue<Extra>, state: PickleValue<Extra>, fail: Fail) => void;
  /** What lies outside the pickle under this id. */
  readonly persistent?: (id: PickleValue<Extra>, fail: Fail) => PickleValue<Extra>;
  /** The most instructions of one pickle, each of which may make an object. Default: no limit but its bytes. */
  readonly maxInstructions?: number;
}
