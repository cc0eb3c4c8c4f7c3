/**
 * @file A pickle machine that runs nothing: it builds numbers, texts, lists and dicts, and hands the few calls that checkpoints make to functions
 * of ours. Everything else is refused. What it takes is what PyTorch's own `weights_only` reader takes. Pickle's opcodes: Python's pickletools.
 */
import { FormatError } from '@tessera/core';
import { ByteReader } from './byte-reader.js';

/** A tuple, apart from a list: pickles make calls with tuples. */
export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}
/** A name that a pickle refers to, such as `torch.FloatStorage`: known, and not yet called. */
export class PickleGlobal {
  constructor(readonly name: string) {}
}
/** A dict in the order of its keys; `ordered`: an OrderedDict. */
export class PickleDict {
  readonly entries = new Map<PickleKey, PickleValue>();
  constructor(readonly ordered: boolean) {}
}
export class PickleSet {
  readonly items: PickleValue[] = [];
}
export type PickleKey = string | number | bigint | boolean | null;
/** What a call answered: opaque to the machine. */
export interface PickleObject {
  readonly kind: 'object';
}
export type PickleValue = PickleKey | Uint8Array | PickleValue[] | PickleTuple | PickleDict | PickleSet | PickleGlobal | PickleObject;

/** What a pickle may call, and what its persistent ids mean. Both throw a FormatError for what they do not know. */
export interface PickleWorld {
  /** Is the name one of those that may be referred to? */
  knows(name: string): boolean;
  /** A call of a known name. */
  call(name: string, args: readonly PickleValue[]): PickleValue;
  persistent(id: PickleValue): PickleValue;
  /** `BUILD`: attributes set on an object; answers what takes its place. */
  build(target: PickleValue, state: PickleValue): PickleValue;
}

/** Deeper nesting than any checkpoint has, and shallower than what a recursive walk of the result could not bear. */
const MAX_DEPTH = 200;
/** Values on the stack or in containers. */
const MAX_VALUES = 20_000_000;

const MARK = Symbol('mark');
type Slot = PickleValue | typeof MARK;

/**
 * Reads one pickle.
 * @throws FormatError ERR_PICKLE for a broken one, ERR_PICKLE_OPCODE for an opcode that is not allowed, ERR_PICKLE_GLOBAL for a name that is not,
 * ERR_PICKLE_SIZE for one too large or too deep.
 */
export function readPickle(bytes: Uint8Array, world: PickleWorld): PickleValue {
  return new Machine(new ByteReader(bytes), world).run();
}

const broken = (why: string): never => {
  throw new FormatError('ERR_PICKLE', `pickle: ${why}`);
};

class Machine {
  readonly #stack: Slot[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #values = 0;

  constructor(
    readonly reader: ByteReader,
    readonly world: PickleWorld,
  ) {}

  run(): PickleValue {
    const { reader } = this;
    for (;;) {
      const at = reader.offset;
      const op = reader.u8();
      if (++this.#values > MAX_VALUES) throw new FormatError('ERR_PICKLE_SIZE', `pickle: it has more than ${MAX_VALUES} operations`);
      if (op === 0x2e) {
        const result = this.#pop();
        if (this.#stack.length > 0) broken('something is left on the stack');
        checkDepth(result);
        return result;
      }
      this.#step(op, at);
    }
  }

  #step(op: number, at: number): void {
    const { reader } = this;
    switch (op) {
      case 0x80: {
        // PROTO
        const version = reader.u8();
        if (version < 2 || version > 5) throw new FormatError('ERR_PICKLE_OPCODE', `pickle: protocol ${version} is not read (2 to 5 are)`);
        return;
      }
      case 0x95: // FRAME
        return void reader.u64();
      case 0x28: // MARK
        return void this.#stack.push(MARK);
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4b: // BININT1
        return this.#push(reader.u8());
      case 0x4d: // BININT2
        return this.#push(reader.u16());
      case 0x4a: // BININT
        return this.#push(reader.i32());
      case 0x8a: // LONG1
        return this.#push(reader.long(reader.u8()));
      case 0x8b: // LONG4
        return this.#push(reader.long(reader.length(reader.u32())));
      case 0x47: // BINFLOAT
        return this.#push(reader.f64BigEndian());
      case 0x58: // BINUNICODE
        return this.#push(reader.text(reader.u32()));
      case 0x8c: // SHORT_BINUNICODE
        return this.#push(reader.text(reader.u8()));
      case 0x8d: // BINUNICODE8
        return this.#push(reader.text(reader.u64()));
      case 0x55: // SHORT_BINSTRING
        return this.#push(reader.text(reader.u8()));
      case 0x54: // BINSTRING
        return this.#push(reader.text(reader.u32()));
      case 0x43: // SHORT_BINBYTES
        return this.#push(reader.bytes(reader.u8()));
      case 0x42: // BINBYTES
        return this.#push(reader.bytes(reader.u32()));
      case 0x8e: // BINBYTES8
        return this.#push(reader.bytes(reader.u64()));
      case 0x5d: // EMPTY_LIST
        return this.#push([]);
      case 0x7d: // EMPTY_DICT
        return this.#push(new PickleDict(false));
      case 0x8f: // EMPTY_SET
        return this.#push(new PickleSet());
      case 0x29: // EMPTY_TUPLE
        return this.#push(new PickleTuple([]));
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#push(new PickleTuple(this.#popMany(op - 0x84)));
      case 0x74: // TUPLE
        return this.#push(new PickleTuple(this.#popToMark()));
      case 0x6c: // LIST
        return this.#push(this.#popToMark());
      case 0x64: {
        // DICT
        const dict = new PickleDict(false);
        setItems(dict, this.#popToMark());
        return this.#push(dict);
      }
      case 0x61: {
        // APPEND
        const item = this.#pop();
        return void this.#list().push(item);
      }
      case 0x65: {
        // APPENDS
        const items = this.#popToMark();
        const list = this.#list();
        for (const item of items) list.push(item);
        return;
      }
      case 0x73: {
        // SETITEM
        const pair = this.#popMany(2);
        return setItems(this.#dict(), pair);
      }
      case 0x75: {
        // SETITEMS
        const items = this.#popToMark();
        return setItems(this.#dict(), items);
      }
      case 0x90: {
        // ADDITEMS
        const items = this.#popToMark();
        const set = this.#top();
        if (!(set instanceof PickleSet)) return broken('ADDITEMS without a set');
        for (const item of items) set.items.push(item);
        return;
      }
      case 0x30: // POP
        if (this.#stack.pop() === undefined) broken('the stack is empty');
        return;
      case 0x31: // POP_MARK
        return void this.#popToMark();
      case 0x71: // BINPUT
        return void this.#memo.set(reader.u8(), this.#top());
      case 0x72: // LONG_BINPUT
        return void this.#memo.set(reader.u32(), this.#top());
      case 0x94: // MEMOIZE
        return void this.#memo.set(this.#memo.size, this.#top());
      case 0x68: // BINGET
        return this.#recall(reader.u8());
      case 0x6a: // LONG_BINGET
        return this.#recall(reader.u32());
      case 0x63: // GLOBAL
        return this.#global(reader.line(), reader.line());
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.#popMany(2);
        if (typeof module !== 'string' || typeof name !== 'string') return broken('STACK_GLOBAL without two texts');
        return this.#global(module, name);
      }
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const [callee, args] = this.#popMany(2);
        if (!(callee instanceof PickleGlobal) || !(args instanceof PickleTuple)) return broken('a call of something that cannot be called');
        return this.#push(this.world.call(callee.name, args.items));
      }
      case 0x62: {
        // BUILD
        const [target, state] = this.#popMany(2);
        return this.#push(this.world.build(target!, state!));
      }
      case 0x51: // BINPERSID
        return this.#push(this.world.persistent(this.#pop()));
      default:
        throw new FormatError('ERR_PICKLE_OPCODE', `pickle: opcode 0x${op.toString(16).padStart(2, '0')} at byte ${at} is not allowed`);
    }
  }

  #push(value: PickleValue): void {
    this.#stack.push(value);
  }

  #pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK) return broken('the stack is empty, or a mark is in the way');
    return value as PickleValue;
  }

  #popMany(count: number): PickleValue[] {
    const values: PickleValue[] = [];
    for (let i = 0; i < count; i++) values.push(this.#pop());
    return values.reverse();
  }

  #popToMark(): PickleValue[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) return broken('there is no mark');
    const items = this.#stack.splice(at);
    items.shift();
    return items as PickleValue[];
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) return broken('the stack is empty, or a mark is in the way');
    return value as PickleValue;
  }

  #list(): PickleValue[] {
    const top = this.#top();
    return Array.isArray(top) ? top : broken('items without a list');
  }

  #dict(): PickleDict {
    const top = this.#top();
    return top instanceof PickleDict ? top : broken('items without a dict');
  }

  #recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) return broken(`nothing was memorized as ${index}`);
    this.#push(value);
  }

  #global(module: string, name: string): void {
    const full = `${module}.${name}`;
    if (!this.world.knows(full)) {
      const shown = full.length > 120 ? `${full.slice(0, 120)}…` : full;
      throw new FormatError(
        'ERR_PICKLE_GLOBAL',
        `pickle: it refers to ${JSON.stringify(shown)}, which is none of the names that are allowed; nothing was run. Save tensors in plain containers: torch.save(model.state_dict(), …)`,
        {
          global: shown,
        },
      );
    }
    this.#push(new PickleGlobal(full));
  }
}

function setItems(dict: PickleDict, items: readonly PickleValue[]): void {
  if (items.length % 2 !== 0) broken('a key without a value');
  for (let i = 0; i < items.length; i += 2) {
    const key = items[i]!;
    if (key !== null && typeof key === 'object') return broken('a key that is no number, text or bool');
    dict.entries.set(key, items[i + 1]!);
  }
}

/** Cycles and towers of containers are refused here, so that whoever walks the result need not fear them. */
function checkDepth(root: PickleValue): void {
  const done = new Set<object>();
  const open = new Set<object>();
  const visit = (value: PickleValue, depth: number): void => {
    const children = childrenOf(value);
    if (children === null) return;
    if (depth > MAX_DEPTH) throw new FormatError('ERR_PICKLE_SIZE', `pickle: containers are nested more than ${MAX_DEPTH} deep`);
    const container = value as object;
    if (open.has(container)) throw new FormatError('ERR_PICKLE_CYCLE', 'pickle: a container contains itself');
    if (done.has(container)) return;
    open.add(container);
    for (const child of children) visit(child, depth + 1);
    open.delete(container);
    done.add(container);
  };
  visit(root, 0);
}

function childrenOf(value: PickleValue): Iterable<PickleValue> | null {
  if (Array.isArray(value)) return value;
  if (value instanceof PickleTuple || value instanceof PickleSet) return value.items;
  return value instanceof PickleDict ? value.entries.values() : null;
}
