/**
 * @file From a graph of deferred values to a program: depth first, each value once, one integer an instruction. Programs are interned by a
 * hash of those integers that is verified on a hit, so that a repeated launch costs tens of nanoseconds and shares the backend's compiled code.
 */
import { OPCODE_INDEX, OPCODE_NAMES } from '../backend/opcode-signatures.js';
import { type Instruction, makeProgram, type Program } from '../backend/program.js';
import { type ComputeDType, type DType, DTYPE_INFO, DTYPES } from './dtype.js';
import { MAX_INPUTS, MAX_INSTRUCTIONS, MAX_OUTPUTS } from './limits.js';
import type { Shape } from './shape.js';
import { arityOf, COPY, IN_MEMORY, SCALAR, type Value } from './value.js';

/** Registers of the linear form: inputs from 0, scalars from 64, instructions from 128. */
export const SCALARS = 64;
export const RESULTS = 128;

const INDEX = OPCODE_INDEX.index;
const CAST = OPCODE_INDEX.cast;
const BITCAST = OPCODE_INDEX.bitcast;

/** What the last linearisation made. Reused: a launch reads it before the next begins. */
export const linear = {
  epoch: 0,
  inputs: new Array<Value>(MAX_INPUTS + MAX_OUTPUTS),
  inputCount: 0,
  scalars: new Float64Array(64),
  scalarDTypes: new Int32Array(64),
  scalarCount: 0,
  /** The value of each instruction. */
  values: new Array<Value>(MAX_INSTRUCTIONS),
  code: new Int32Array(MAX_INSTRUCTIONS),
  count: 0,
  outputs: new Array<Value>(MAX_OUTPUTS),
  outputSlots: new Int32Array(MAX_OUTPUTS),
  outputCount: 0,
  /** A program reads `index`: dims may not be merged. */
  indexed: false,
};

/** Starts a linearisation. */
export function begin(): void {
  linear.epoch++;
  linear.inputCount = linear.scalarCount = linear.count = linear.outputCount = 0;
  linear.indexed = false;
}

/** Adds `v` and all that it reads; answers its register. */
export function visit(v: Value): number {
  if (v.mark === linear.epoch) {
    v.innerUses++;
    return v.slot;
  }
  v.mark = linear.epoch;
  v.innerUses = 1;
  const op = v.op;
  if (op === IN_MEMORY) {
    linear.inputs[linear.inputCount] = v;
    return (v.slot = linear.inputCount++);
  }
  if (op === SCALAR) {
    linear.scalars[linear.scalarCount] = v.imm;
    linear.scalarDTypes[linear.scalarCount] = DTYPE_INFO[v.dtype].index;
    return (v.slot = SCALARS + linear.scalarCount++);
  }
  if (op === COPY) return (v.slot = visit(v.a!));
  let word = op << 24;
  if (op === INDEX) {
    word |= v.imm << 8;
    linear.indexed = true;
  } else {
    word |= visit(v.a!) << 16;
    const arity = arityOf(op);
    if (arity > 1) {
      word |= visit(v.b!) << 8;
      if (arity > 2) word |= visit(v.c!);
    } else if (op === CAST || op === BITCAST) word |= v.imm;
  }
  const n = linear.count++;
  linear.values[n] = v;
  linear.code[n] = word;
  return (v.slot = RESULTS + n);
}

export function addOutput(v: Value, slot: number): void {
  linear.outputs[linear.outputCount] = v;
  linear.outputSlots[linear.outputCount++] = slot;
}

/** A program as the cache keeps it: with the key that it is verified by. */
class Entry {
  constructor(
    readonly hash: number,
    readonly key: Int32Array,
    readonly program: Program,
    readonly next: Entry | undefined,
  ) {}
}

/** Interned programs. One for each device, so that ids stay dense for its backend. */
export class ProgramCache {
  readonly #buckets: (Entry | undefined)[] = new Array<Entry | undefined>(1024);
  readonly #key = new Int32Array(MAX_INSTRUCTIONS + MAX_INPUTS + 64 + 2 * MAX_OUTPUTS + 4);

  /** The program of what was linearised last, for a launch over `shape` (its rank counts where the program asks for indices). */
  lookup(shape: Shape): Program {
    const key = this.#key;
    let n = 0;
    let hash = 0;
    for (let i = 0; i < linear.count; i++) hash = (Math.imul(hash ^ (key[n++] = linear.code[i]!), 0x9e3779b1) | 0) ^ (hash >>> 15);
    let types = linear.indexed ? shape.length + 1 : 0;
    for (let i = 0; i < linear.inputCount; i++) types = (Math.imul(types, 8) + DTYPE_INFO[linear.inputs[i]!.dtype].index) | 0;
    // Words hold eight dtypes and a bit; beyond that the sum above could repeat, so long lists are spelt out.
    if (linear.inputCount > 8) for (let i = 0; i < linear.inputCount; i++) key[n++] = DTYPE_INFO[linear.inputs[i]!.dtype].index;
    hash = Math.imul(hash ^ (key[n++] = types), 0x85ebca6b) ^ (hash >>> 13);
    for (let i = 0; i < linear.scalarCount; i++) hash = Math.imul(hash ^ (key[n++] = linear.scalarDTypes[i]!), 0x85ebca6b) ^ (hash >>> 13);
    for (let i = 0; i < linear.outputCount; i++) {
      hash =
        Math.imul(hash ^ (key[n++] = (linear.outputSlots[i]! << 4) | DTYPE_INFO[linear.outputs[i]!.dtype].index), 0x85ebca6b) ^
        (hash >>> 13);
    }
    // The counts tell the parts of the key apart.
    key[n++] = (linear.count << 21) | (linear.inputCount << 14) | (linear.scalarCount << 7) | linear.outputCount;
    hash ^= key[n - 1]!;
    const bucket = (hash ^ (hash >>> 10)) & 1023;
    next: for (let entry = this.#buckets[bucket]; entry !== undefined; entry = entry.next) {
      if (entry.hash !== hash || entry.key.length !== n) continue;
      for (let i = 0; i < n; i++) if (entry.key[i] !== key[i]) continue next;
      return entry.program;
    }
    const program = build(shape);
    this.#buckets[bucket] = new Entry(hash, key.slice(0, n), program, this.#buckets[bucket]);
    return program;
  }
}

function build(shape: Shape): Program {
  const { inputCount, scalarCount } = linear;
  const register = (slot: number): number =>
    slot >= RESULTS ? inputCount + scalarCount + slot - RESULTS : slot >= SCALARS ? inputCount + slot - SCALARS : slot;
  const inputs: DType[] = [];
  for (let i = 0; i < inputCount; i++) inputs.push(linear.inputs[i]!.dtype);
  const scalars: ComputeDType[] = [];
  for (let i = 0; i < scalarCount; i++) scalars.push(DTYPES[linear.scalarDTypes[i]!] as ComputeDType);
  const instructions: Instruction[] = [];
  for (let i = 0; i < linear.count; i++) {
    const word = linear.code[i]!;
    const op = word >>> 24;
    const args = [(word >>> 16) & 255, (word >>> 8) & 255, word & 255].slice(0, arityOf(op)).map(register);
    const dtype = DTYPE_INFO[linear.values[i]!.dtype].compute;
    instructions.push(
      op === INDEX ? { op: 'index', dtype, args, dim: shape.length - ((word >>> 8) & 255) } : { op: OPCODE_NAMES[op]!, dtype, args },
    );
  }
  const outputs = [];
  for (let i = 0; i < linear.outputCount; i++)
    outputs.push({ register: register(linear.outputSlots[i]!), dtype: linear.outputs[i]!.dtype });
  return makeProgram({ inputs, scalars, instructions, outputs });
}
