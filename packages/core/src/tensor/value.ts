/**
 * @file Value: what a tensor holds, computed or not yet.
 *
 * A value is a leaf (a strided view of memory, or a scalar known on the host) or deferred: one opcode applied to other values. Deferred
 * values form a graph that is launched as one kernel when somebody needs it (`materialise` in launch.ts). Values never change what they
 * stand for; a tensor that is written to gets another value, so that deferred readers of the old one stay right.
 */
import { type Opcode, OPCODE_INDEX, OPCODE_NAMES, OPCODE_SIGNATURES } from '../backend/opcode-signatures.js';
import { DeviceError } from '../errors.js';
import type { Device } from '../plugin/device.js';
import { type ComputeDType, type DType, DTYPE_INFO } from './dtype.js';
import { materialise } from './launch.js';
import { linear } from './linearize.js';
import type { Memory } from './memory.js';
import { broadcastShapes, numelOf, type Shape } from './shape.js';

/** `op` of a value that lies in memory. */
export const IN_MEMORY = -2;
/** `op` of a value that is one host number, `imm`. */
export const SCALAR = -1;

export const EMPTY_SHAPE: Shape = [];
const ARITY: readonly number[] = OPCODE_NAMES.map((name) => (name === 'index' ? 0 : OPCODE_SIGNATURES[name].arity));
const PRICE: readonly number[] = OPCODE_NAMES.map((name) => OPCODE_SIGNATURES[name].price);
/** 0: the argument's dtype, 1: bool, 2: int32, 3: as given (cast). */
const GIVES: readonly number[] = OPCODE_NAMES.map((name) => ['same', 'bool', 'int32', 'cast'].indexOf(OPCODE_SIGNATURES[name].gives));
const WHERE = OPCODE_INDEX.where;
export const COPY = OPCODE_INDEX.copy;

/** Interior values dearer than this (an addition is 1) are worth keeping when somebody else wants them too. */
export const DEAR = 8;
/** A dear value that would be expanded more than this many times is computed first. */
const EXPANSION = 4;
/** A small result must not keep alive memory this many times its size (and larger than {@link PIN_BYTES}). */
const PIN_FACTOR = 16;
const PIN_BYTES = 1 << 16;

export class Value {
  /** Argument values of a deferred one. */
  a: Value | null = null;
  b: Value | null = null;
  c: Value | null = null;
  /** Where a leaf lies; null while deferred. */
  memory: Memory | null = null;
  /** In elements; null means row-major. */
  strides: Shape | null = null;
  offset = 0;
  contiguous = true;
  /** Instructions and leaves of the whole expression, counted as a tree until that would be too many: upper bounds. */
  size = 1;
  leaves = 0;
  /** What it costs to compute an element again, in additions. */
  cost = 0;
  /** Deferred values that read this one. */
  uses = 0;
  /** How many tapes saved it: worth writing out when a kernel computes it anyway. */
  saves = 0;
  /** Storages whose value it is, while deferred. */
  holders = 0;
  /** All of them let go of it: memory that it may still get has no owner. */
  dropped = false;
  /** It let go of its arguments, since nobody read or held it. */
  abandoned = false;
  /** Scratch of the lineariser. */
  mark = 0;
  slot = 0;
  innerUses = 0;

  constructor(
    public op: number,
    public imm: number,
    readonly shape: Shape,
    readonly numel: number,
    readonly dtype: DType,
    readonly device: Device,
  ) {}
}

/** A leaf: `shape` seen through `strides` (null: row-major) from `offset` in `memory`. */
export function inMemory(memory: Memory, shape: Shape, numel: number, strides: Shape | null, offset: number, contiguous: boolean): Value {
  const v = new Value(IN_MEMORY, 0, shape, numel, memory.dtype, memory.device);
  v.memory = memory;
  v.strides = strides;
  v.offset = offset;
  v.contiguous = contiguous;
  return v;
}

/** A host number as a value: a run-time scalar of the program that it ends up in. */
export function scalarValue(x: number | boolean, dtype: ComputeDType, device: Device): Value {
  const v = new Value(SCALAR, Number(x), EMPTY_SHAPE, 1, dtype, device);
  v.size = 0;
  return v;
}

/** An abandoned value is wanted after all, by an op that still had it at hand: it reads its arguments again. */
export function revive(v: Value): void {
  v.abandoned = false;
  for (let arg = v.a, i = 0; i < 3; arg = i === 0 ? v.b : v.c, i++) {
    if (arg === null || arg.op === SCALAR) continue;
    if (arg.op === IN_MEMORY) arg.memory!.pending++;
    else {
      if (arg.abandoned) revive(arg);
      arg.uses++;
    }
  }
}

/**
 * Notes that `parent`, not launched yet, reads `n`; launches `n` first where that is cheaper or the program would grow too long. `after`: how
 * many arguments are still to come, each of which may need a place among the inputs.
 */
function capture(parent: Value, n: Value, after = 0): void {
  const op = n.op;
  if (op === SCALAR) return;
  if (n.abandoned) revive(n);
  if (op === IN_MEMORY) {
    n.memory!.pending++;
    parent.leaves++;
    return;
  }
  const device = parent.device;
  if (n.cost > DEAR && parent.numel > EXPANSION * n.numel) {
    launchFirst(parent, n);
    return;
  }
  parent.size += n.size;
  parent.leaves += n.leaves;
  if (parent.size > device.maxInstructions || parent.leaves + after > device.maxInputs) {
    // Counted as a tree it is too much; what is used several times may make the difference.
    const { size, leaves } = parent;
    recount(parent, n);
    if (parent.size > device.maxInstructions || parent.leaves + after > device.maxInputs) {
      parent.size = size - n.size;
      parent.leaves = leaves - n.leaves;
      launchFirst(parent, n);
      return;
    }
  }
  n.uses++;
  parent.cost += n.cost;
}

function launchFirst(parent: Value, n: Value): void {
  materialise(n);
  n.memory!.pending++;
  parent.leaves++;
}

/** Counts what `parent` reads, up to its argument `last`, each value and each leaf once. */
function recount(parent: Value, last: Value): void {
  linear.epoch++;
  parent.size = 1;
  parent.leaves = 0;
  for (let arg = parent.a, i = 0; arg !== null; arg = i === 0 ? parent.b : parent.c, i++) {
    countInto(parent, arg);
    if (arg === last || i === 2) return;
  }
}

function countInto(parent: Value, v: Value | null): void {
  if (v === null || v.op === SCALAR || v.mark === linear.epoch) return;
  v.mark = linear.epoch;
  if (v.op === IN_MEMORY) {
    parent.leaves++;
    return;
  }
  parent.size++;
  countInto(parent, v.a);
  countInto(parent, v.b);
  countInto(parent, v.c);
}

/**
 * One opcode applied to values of one device, broadcast against each other. Arguments must share a compute dtype (the callers promote).
 * The result has a compute dtype: narrow results are made by a following `toFloat16`, `toBfloat16` or `toUint8` ({@link narrow}).
 */
export function apply(op: number, a: Value, b: Value | null, c: Value | null, imm = 0, castTo?: DType): Value {
  let shape = a.shape;
  let numel = a.numel;
  let device = a.device;
  if (b !== null) {
    if (b.shape !== shape) {
      const s = broadcastShapes(shape, b.shape, OPCODE_NAMES[op]!);
      if (s !== shape) {
        shape = s;
        numel = s === b.shape ? b.numel : numelOf(s);
      }
    }
    if (b.device !== device) device = meet(a, b);
    if (c !== null) {
      if (c.shape !== shape) {
        const s = broadcastShapes(shape, c.shape, OPCODE_NAMES[op]!);
        if (s !== shape) {
          shape = s;
          numel = s === c.shape ? c.numel : numelOf(s);
        }
      }
      if (c.device !== device) device = meet(a, c);
    }
  }
  const gives = GIVES[op]!;
  const dtype = gives === 0 ? DTYPE_INFO[(op === WHERE ? b! : a).dtype].compute : gives === 1 ? 'bool' : gives === 2 ? 'int32' : castTo!;
  const v = new Value(op, imm, shape, numel, dtype, device);
  v.a = a;
  v.b = b;
  v.c = c;
  v.cost = PRICE[op]!;
  capture(v, a, c !== null ? 2 : b !== null ? 1 : 0);
  if (b !== null) {
    capture(v, b, c !== null ? 1 : 0);
    if (c !== null) capture(v, c);
  }
  unpin(v);
  return v;
}

function meet(a: Value, b: Value): Device {
  throw new DeviceError(
    'ERR_DEVICE_MIX',
    `Expected all tensors to be on the same device, but found at least two devices, ${a.device.id} and ${b.device.id}`,
    {
      shapes: [a.shape, b.shape],
      dtypes: [a.dtype, b.dtype],
    },
  );
}

/** Computes a small value at once where it would keep a large memory alive. */
function unpin(v: Value): void {
  const limit = Math.max(PIN_BYTES, PIN_FACTOR * v.numel * 4);
  for (let arg = v.a, i = 0; i < 3; arg = i === 0 ? v.b : v.c, i++) {
    if (arg !== null && arg.op === IN_MEMORY && arg.memory!.bytes > limit) {
      materialise(v);
      return;
    }
  }
}

/** The same values under another label or in a wider shape: free inside a fused program. */
export function relabel(a: Value, shape: Shape, dtype: DType): Value {
  const v = new Value(COPY, 0, shape, shape === a.shape ? a.numel : numelOf(shape), dtype, a.device);
  v.a = a;
  v.cost = 1;
  capture(v, a);
  unpin(v);
  return v;
}

/** The index along a dim of `shape` (int32). */
export function indexValue(shape: Shape, dim: number, device: Device): Value {
  // Dims are counted from the end, so that broadcasting against more dims does not shift them.
  const v = new Value(OPCODE_INDEX.index, shape.length - dim, shape, numelOf(shape), 'int32', device);
  v.cost = 1;
  return v;
}

const NARROWING: Partial<Record<DType, Opcode>> = { float16: 'toFloat16', bfloat16: 'toBfloat16', uint8: 'toUint8' };

/** A computed value given a memory dtype of its own compute dtype: rounded, or taken modulo 256. */
export function narrow(v: Value, dtype: DType): Value {
  if (v.dtype === dtype) return v;
  const op = NARROWING[dtype];
  if (op === undefined) return relabel(v, v.shape, dtype);
  const out = new Value(OPCODE_INDEX[op], 0, v.shape, v.numel, dtype, v.device);
  out.a = v;
  out.cost = PRICE[out.op]!;
  capture(out, v);
  unpin(out);
  return out;
}

/** `v` converted to `dtype`, as the opcode `cast` says. */
export function castValue(v: Value, dtype: DType): Value {
  if (v.dtype === dtype) return v;
  const from = DTYPE_INFO[v.dtype].compute;
  const to = DTYPE_INFO[dtype].compute;
  if (v.op === SCALAR) {
    const x =
      to === 'bool' ? Number(v.imm !== 0) : to === 'int32' ? (from === 'int32' || from === 'bool' ? v.imm : saturate(v.imm)) : v.imm;
    const s = scalarValue(x, to, v.device);
    return to === dtype ? s : narrow(s, dtype);
  }
  let out = v;
  if (from !== to) out = apply(OPCODE_INDEX.cast, out, null, null, DTYPE_INFO[to].index, to);
  // bool fits in everything, and a float16 in a float32: nothing to round.
  return out.dtype === dtype ? out : v.dtype === 'bool' ? relabel(out, out.shape, dtype) : narrow(out, dtype);
}

function saturate(x: number): number {
  return x !== x ? 0 : x >= 2147483647 ? 2147483647 : x <= -2147483648 ? -2147483648 : Math.trunc(x);
}

/** How many arguments an opcode reads. */
export const arityOf = (op: number): number => ARITY[op]!;
