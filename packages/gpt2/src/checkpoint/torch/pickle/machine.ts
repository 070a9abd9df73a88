import { PickleInput } from "./input.ts";
import { opcodes as op, opcodeName } from "./opcodes.ts";
import type { Fail, PicklePolicy, PickleValue } from "./policy.ts";
import { asciiText, reprBytes } from "./text.ts";

/**
 * Reads a pickle, protocols 0 to 5: None, bools, ints, floats, strings, bytes, lists, tuples and dicts, and what the policy allows
 * besides. It never runs anything.
 *
 * @throws PickleError
 */
export function readPickle<Extra = never>(bytes: Uint8Array, policy: PicklePolicy<Extra>): PickleValue<Extra> {
  const input = new PickleInput(bytes);
  const value = readNextPickle(input, policy);
  if (input.left > 0) input.fail(`${input.left} bytes follow the end of the pickle`);
  return value;
}

/** Reads the pickle that begins where the input stands, which then stands behind it. */
export function readNextPickle<Extra>(input: PickleInput, policy: PicklePolicy<Extra>): PickleValue<Extra> {
  return new Unpickler(input, policy).run();
}

/** The stack machine of CPython's `Lib/pickle.py`, whose policy answers the instructions that import and call. */
class Unpickler<Extra> {
  readonly #input: PickleInput;
  readonly #policy: PicklePolicy<Extra>;
  readonly #fail: Fail;
  readonly #stack: PickleValue<Extra>[] = [];
  /** Heights of the stack at the marks. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number | bigint, PickleValue<Extra>>();

  constructor(input: PickleInput, policy: PicklePolicy<Extra>) {
    this.#input = input;
    this.#policy = policy;
    this.#fail = (message) => input.fail(message);
  }

  run(): PickleValue<Extra> {
    const { maxInstructions = Number.POSITIVE_INFINITY } = this.#policy;
    const input = this.#input;
    let count = 0;
    for (let code = input.next(); code !== op.STOP; code = input.next()) {
      if (++count > maxInstructions) input.fail(`more than ${maxInstructions} instructions`);
      this.#execute(code);
    }
    return this.#pop();
  }

  #execute(code: number): void {
    const input = this.#input;
    const stack = this.#stack;
    // biome-ignore format: a table
    switch (code) {
      case op.PROTO: this.#checkProtocol(input.unsigned(1)); break;
      case op.FRAME: this.#checkFrame(input.unsigned(8)); break;
      case op.MARK: this.#marks.push(stack.length); break;
      case op.POP: this.#discard(); break;
      case op.POP_MARK: this.#popToMark(); break;
      case op.DUP: this.#push(this.#top()); break;

      case op.NONE: this.#push(null); break;
      case op.NEWTRUE: this.#push(true); break;
      case op.NEWFALSE: this.#push(false); break;
      case op.INT: this.#push(this.#intLine()); break;
      case op.LONG: this.#push(input.decimalLine()); break;
      case op.BININT: this.#push(input.int32()); break;
      case op.BININT1: this.#push(input.unsigned(1)); break;
      case op.BININT2: this.#push(input.unsigned(2)); break;
      case op.LONG1: this.#push(input.long(input.unsigned(1))); break;
      case op.LONG4: this.#push(input.long(this.#signedLength())); break;
      case op.FLOAT: this.#push(this.#floatLine()); break;
      case op.BINFLOAT: this.#push(input.float64()); break;

      case op.UNICODE: this.#push(asciiText(input.asciiLine()) ?? input.fail("a broken escape sequence")); break;
      case op.BINUNICODE: this.#push(input.utf8(input.bytes(input.unsigned(4)))); break;
      case op.SHORT_BINUNICODE: this.#push(input.utf8(input.bytes(input.unsigned(1)))); break;
      case op.BINUNICODE8: this.#push(input.utf8(input.bytes(input.unsigned(8)))); break;
      case op.STRING: this.#push(input.utf8(reprBytes(input.asciiLine()) ?? input.fail("not a quoted string"))); break;
      case op.BINSTRING: this.#push(input.utf8(input.bytes(this.#signedLength()))); break;
      case op.SHORT_BINSTRING: this.#push(input.utf8(input.bytes(input.unsigned(1)))); break;
      case op.BINBYTES: this.#push(input.bytes(input.unsigned(4)).slice()); break;
      case op.SHORT_BINBYTES: this.#push(input.bytes(input.unsigned(1)).slice()); break;
      case op.BINBYTES8:
      case op.BYTEARRAY8: this.#push(input.bytes(input.unsigned(8)).slice()); break;

      case op.EMPTY_LIST: this.#push([]); break;
      case op.LIST: this.#push(this.#popToMark()); break;
      case op.APPEND: { const item = this.#pop(); this.#list().push(item); break; }
      case op.APPENDS: { const items = this.#popToMark(); const list = this.#list(); for (const item of items) list.push(item); break; }
      case op.EMPTY_TUPLE: this.#push(Object.freeze([])); break;
      case op.TUPLE: this.#push(Object.freeze(this.#popToMark())); break;
      case op.TUPLE1: this.#push(Object.freeze(this.#popSome(1))); break;
      case op.TUPLE2: this.#push(Object.freeze(this.#popSome(2))); break;
      case op.TUPLE3: this.#push(Object.freeze(this.#popSome(3))); break;
      case op.EMPTY_DICT: this.#push(new Map()); break;
      case op.DICT: { const items = this.#popToMark(); this.#push(new Map()); this.#setItems(items); break; }
      case op.SETITEM: this.#setItems(this.#popSome(2)); break;
      case op.SETITEMS: this.#setItems(this.#popToMark()); break;

      case op.PUT: this.#memo.set(input.decimalLine(), this.#top()); break;
      case op.BINPUT: this.#memo.set(input.unsigned(1), this.#top()); break;
      case op.LONG_BINPUT: this.#memo.set(input.unsigned(4), this.#top()); break;
      case op.MEMOIZE: this.#memo.set(this.#memo.size, this.#top()); break;
      case op.GET: this.#recall(input.decimalLine()); break;
      case op.BINGET: this.#recall(input.unsigned(1)); break;
      case op.LONG_BINGET: this.#recall(input.unsigned(4)); break;

      case op.GLOBAL: this.#name(input.asciiLine(), input.asciiLine()); break;
      case op.STACK_GLOBAL: { const [module, name] = this.#popSome(2); this.#name(module!, name!); break; }
      case op.REDUCE: this.#call(); break;
      case op.BUILD: this.#setState(); break;
      case op.PERSID: this.#persistent(code, () => input.asciiLine()); break;
      case op.BINPERSID: this.#persistent(code, () => this.#pop()); break;
      default: this.#refuse(code); break;
    }
  }

  #push(value: PickleValue<Extra>): void {
    this.#stack.push(value);
  }

  /** Fails if it would reach below the latest mark, or below the bottom. */
  #need(count: number): void {
    const there = this.#stack.length - (this.#marks.at(-1) ?? 0);
    if (there < count) this.#input.fail(`it takes ${count} from the stack, which has ${there}`);
  }

  #top(): PickleValue<Extra> {
    this.#need(1);
    return this.#stack.at(-1)!;
  }

  #pop(): PickleValue<Extra> {
    this.#need(1);
    return this.#stack.pop()!;
  }

  #popSome(count: number): PickleValue<Extra>[] {
    this.#need(count);
    return this.#stack.splice(-count);
  }

  #popToMark(): PickleValue<Extra>[] {
    const mark = this.#marks.pop();
    if (mark === undefined) this.#input.fail("there is no mark on the stack");
    return this.#stack.splice(mark);
  }

  /** Removes the top, which may be a mark. */
  #discard(): void {
    if (this.#stack.length === this.#marks.at(-1)) this.#marks.pop();
    else this.#pop();
  }

  #list(): PickleValue<Extra>[] {
    const list = this.#top();
    if (!Array.isArray(list) || Object.isFrozen(list)) this.#input.fail("it appends to something that is no list");
    return list as PickleValue<Extra>[];
  }

  #setItems(items: readonly PickleValue<Extra>[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map)) this.#input.fail("it sets an item of something that is no dict");
    if (items.length % 2 !== 0) this.#input.fail("a key without a value");
    for (let i = 0; i < items.length; i += 2) dict.set(items[i]!, items[i + 1]!);
  }

  #recall(index: number | bigint): void {
    const value = this.#memo.get(index);
    if (value === undefined) this.#input.fail(`nothing was stored under ${index}`);
    this.#push(value);
  }

  #intLine(): number | bigint | boolean {
    const line = this.#input.asciiLine();
    if (line === "00") return false;
    if (line === "01") return true;
    return this.#input.decimal(line);
  }

  #floatLine(): number {
    const line = this.#input.asciiLine();
    if (/^-?inf$/.test(line)) return line === "inf" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    if (line === "nan") return Number.NaN;
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(line)) this.#input.fail("not a number");
    return Number(line);
  }

  /** The lengths that are written as signed integers. */
  #signedLength(): number {
    const length = this.#input.int32();
    if (length < 0) this.#input.fail(`a length of ${length}`);
    return length;
  }

  #checkProtocol(protocol: number): void {
    if (protocol > 5) this.#input.fail(`protocol ${protocol}; there are 0 to 5`);
  }

  #checkFrame(length: number): void {
    if (length > this.#input.left) {
      this.#input.fail(`a frame of ${length} bytes, and ${this.#input.left} are left`);
    }
  }

  #name(module: PickleValue<Extra>, name: PickleValue<Extra>): void {
    const { global, refusal } = this.#policy;
    if (global && typeof module === "string" && typeof name === "string") {
      this.#push(global(module, name, this.#fail));
      return;
    }
    const shown = [module, name].map((part) => (typeof part === "string" ? part.slice(0, 60) : "?")).join(".");
    this.#input.fail(`it names ${shown}: ${refusal("GLOBAL")}`);
  }

  #call(): void {
    const { call } = this.#policy;
    if (!call) this.#refuse(op.REDUCE);
    const [callable, args] = this.#popSome(2);
    if (!isTuple(args)) this.#input.fail("its arguments are not a tuple");
    this.#push(call(callable!, args, this.#fail));
  }

  #setState(): void {
    const { setState } = this.#policy;
    if (!setState) this.#refuse(op.BUILD);
    const state = this.#pop();
    setState(this.#top(), state, this.#fail);
  }

  #persistent(code: number, id: () => PickleValue<Extra>): void {
    const { persistent } = this.#policy;
    if (!persistent) this.#refuse(code);
    this.#push(persistent(id(), this.#fail));
  }

  #refuse(code: number): never {
    const name = opcodeName(code);
    if (name !== undefined && BEYOND_PLAIN_DATA.has(code)) this.#input.fail(this.#policy.refusal(name));
    return this.#input.fail("there is no such instruction: is this a pickle?");
  }
}

function isTuple<Extra>(value: PickleValue<Extra> | undefined): value is readonly PickleValue<Extra>[] {
  return Array.isArray(value) && Object.isFrozen(value);
}

/** Instructions that look up, make, fill or call something other than plain data; sets count as such. */
const BEYOND_PLAIN_DATA: ReadonlySet<number> = new Set([
  op.REDUCE,
  op.BUILD,
  op.INST,
  op.OBJ,
  op.NEWOBJ,
  op.NEWOBJ_EX,
  op.PERSID,
  op.BINPERSID,
  op.EXT1,
  op.EXT2,
  op.EXT4,
  op.NEXT_BUFFER,
  op.READONLY_BUFFER,
  op.EMPTY_SET,
  op.ADDITEMS,
  op.FROZENSET,
]);
