/**
 * @file Launching: deferred values become memory. Which values one kernel writes is decided here, at launch, when it is known who wants what:
 * interior values that are dear and wanted by others are written by the same kernel; cheap ones are computed again by each consumer.
 */
import type { ReduceKind, View } from '../backend/contract.js';
import { formatProgram, type Program } from '../backend/program.js';
import type { DType } from './dtype.js';
import { ensureStrides, layout, pointwiseLayout, reduceLayout } from './layout.js';
import { MAX_INSTRUCTIONS } from './limits.js';
import { addOutput, begin, linear, RESULTS, visit } from './linearize.js';
import type { Memory } from './memory.js';
import type { Producer } from './producer.js';
import type { LaunchBatch } from './launch-batch.js';
import { numelOf, type Shape } from './shape.js';
import { arityOf, DEAR, IN_MEMORY, inMemory, revive, SCALAR, type Value } from './value.js';

/** Who reads `v` (an argument of a value that was launched, or that nobody wants any more) reads it no more. */
function letGo(v: Value | null): void {
  if (v === null) return;
  if (v.op === IN_MEMORY) v.memory!.settle();
  else if (v.op !== SCALAR && --v.uses === 0 && v.holders === 0) abandon(v);
}

/** A value that needed no memory of its own (a reduction's program, what was written into a view): when nobody else wants it, it is done with. */
export function spent(v: Value): void {
  if (v.op >= 0 && v.uses === 0 && v.holders === 0) abandon(v);
}

/** Nobody reads or holds the deferred value `v`: it reads its arguments no more, so that their memory may be freed or written to. */
export function abandon(v: Value): void {
  if (v.abandoned) return;
  v.abandoned = true;
  letGo(v.a);
  letGo(v.b);
  letGo(v.c);
}

/** The deferred value becomes a leaf in `memory`, row-major. */
function settle(v: Value, memory: Memory): void {
  const { a, b, c } = v;
  v.op = IN_MEMORY;
  v.a = v.b = v.c = null;
  v.memory = memory;
  // Whoever captured it while it was deferred reads its memory from now on.
  memory.pending += v.uses;
  v.uses = 0;
  v.offset = 0;
  v.contiguous = true;
  v.strides = null;
  v.size = 0;
  v.cost = 0;
  memory.owners += v.holders;
  if (v.dropped) memory.abandon();
  letGo(a);
  letGo(b);
  letGo(c);
}

/** Computes `root` now, if it is not in memory yet, and with it what the same kernel gives for nothing. */
export function materialise(root: Value): void {
  if (root.op === IN_MEMORY) {
    if (root.memory!.producer !== null) void root.memory!.buffer;
    return;
  }
  if (root.abandoned) revive(root);
  const device = root.device;
  if (root.numel === 0) {
    settle(root, device.allocate(root.dtype, 1));
    return;
  }
  begin();
  const slot = visit(root);
  addOutput(root, slot);
  const limit = device.maxOutputs(linear.inputCount);
  for (let i = 0; i < linear.count - 1 && linear.outputCount < limit; i++) {
    const v = linear.values[i]!;
    if (v.cost > DEAR && v.numel === root.numel && v !== root && v.uses + v.saves > v.innerUses && v.shape.length === root.shape.length)
      addOutput(v, v.slot);
  }
  let place = promiseFor(root);
  if (place >= 0) {
    found = device.programs.lookup(root.shape);
    if (refused.has(found)) place = -1;
    else keepPromise(root, place);
  }
  const program = device.programs.lookup(root.shape);
  const count = linear.outputCount;
  const inputs = linear.inputCount;
  const written: Value[] = [];
  for (let i = 0; i < count; i++) {
    const v = linear.outputs[i]!;
    const memory = v.op === IN_MEMORY ? v.memory! : device.allocate(v.dtype, v.numel);
    linear.inputs[inputs + i] = inMemory(memory, v.shape, v.numel, null, 0, true);
    written.push(v);
  }
  if (place < 0) launchPointwise(program, inputs, count, root.shape, root.numel);
  else if (!launchWithPromise(program, place, inputs, count, root)) {
    for (let i = 0; i < count; i++) if (written[i]!.op !== IN_MEMORY) linear.inputs[inputs + i]!.memory!.abandon();
    void linear.inputs[place]!.memory!.buffer;
    materialise(root);
    return;
  }
  const product = place < 0 ? null : linear.inputs[place]!.memory!;
  const producer = product === null ? null : taken;
  taken = null;
  let kept = false;
  for (let i = count - 1; i >= 0; i--) {
    if (written[i]!.op === IN_MEMORY) kept = true;
    else settle(written[i]!, linear.inputs[inputs + i]!.memory!);
  }
  if (product !== null) product.settled(producer!, kept);
  forget();
}

/** Programs with which producers declined. */
const refused = new WeakSet<Program>();
/** The program that a promise was found for, before others' wishes were added; and the producer that was launched last with one. */
let found: Program | null = null;
let taken: Producer | null = null;
/** For each instruction: does it read the promised input? */
const reaches = new Uint8Array(MAX_INSTRUCTIONS);

/** Which input of what was linearised is a promise that can be launched with it: whole, row-major, and read in no other way. -1: none. */
function promiseFor(root: Value): number {
  let place = -1;
  for (let i = 0; i < linear.inputCount && place < 0; i++) {
    const v = linear.inputs[i]!;
    const { producer, length } = v.memory!;
    if (producer === null || v.numel !== root.numel || length !== root.numel || !v.contiguous) continue;
    // Its own operands, the program's other inputs, its outputs, and perhaps the product itself.
    if (producer.reads.length + linear.inputCount + linear.outputCount > root.device.backend.capabilities.maxBuffers) continue;
    place = i;
    for (let j = 0; j < linear.inputCount; j++) if (j !== i && linear.inputs[j]!.memory === v.memory) place = -1;
  }
  return place;
}

/** Does what was linearised read a promise that nobody else wants? */
function readsOwnPromise(root: Value): boolean {
  const place = promiseFor(root);
  if (place < 0) return false;
  const { memory, innerUses } = linear.inputs[place]!;
  return memory!.owners === 0 && memory!.pending <= innerUses;
}

/**
 * Others may want what is promised, after the program has read it: then the same kernel writes it. Where they want the one value that was computed
 * from it instead (a product with its bias), that is written in its place.
 */
function keepPromise(root: Value, place: number): void {
  const product = linear.inputs[place]!;
  const { owners, pending } = product.memory!;
  let wanted = owners > 0 || pending > product.innerUses;
  let first: Value | null = null;
  const last = linear.count - 1;
  for (let i = 0; i <= last; i++) {
    const v = linear.values[i]!;
    const reads = (arg: Value | null): boolean =>
      arg !== null && (arg.slot === place || (arg.slot >= RESULTS && arg.op !== SCALAR && reaches[arg.slot - RESULTS] === 1));
    const arity = arityOf(v.op);
    reaches[i] = Number((arity > 0 && reads(v.a)) || (arity > 1 && reads(v.b)) || (arity > 2 && reads(v.c)));
    if (reaches[i] === 0) continue;
    first ??= v;
    if (v !== root && (v.holders > 0 || v.uses > v.innerUses)) wanted = true;
  }
  if (!wanted) return;
  const own = owners === 0 && pending === 1 && first !== null && first.numel === root.numel && first.shape.length === root.shape.length;
  if (!own) addOutput(product, place);
  else if (!isOutput(first!)) addOutput(first!, first!.slot);
}

function isOutput(v: Value): boolean {
  for (let i = 0; i < linear.outputCount; i++) if (linear.outputs[i] === v) return true;
  return false;
}

/** Launches a producer with the program that reads what it promised at `place`. False: it declined, and has its promise back. */
function launchWithPromise(program: Program, place: number, inputs: number, outputs: number, root: Value): boolean {
  const values = linear.inputs;
  const { memory } = values[place]!;
  for (let i = 0; i < inputs; i++) if (i !== place && values[i]!.memory!.producer !== null) void values[i]!.memory!.buffer;
  for (let i = 0; i < inputs + outputs; i++) if (values[i]!.strides === null) ensureStrides(values[i]!);
  for (let i = 0; i < outputs; i++) if (values[inputs + i]!.memory === memory) memory!.claim();
  const producer = memory!.take();
  let done = false;
  try {
    pointwiseLayout(values, inputs, outputs, root.shape, root.numel, linear.indexed);
    const views: (View | null)[] = layout.inputs.slice();
    views[place] = null;
    done = producer.fuse(program, linear.scalars, views, layout.outputs);
  } finally {
    if (!done) memory!.producer = producer;
  }
  taken = producer;
  if (!done) refused.add(found!);
  return done;
}

/** Launches what was linearised into one given leaf. */
function run(program: Program, out: Value, batch: LaunchBatch | null): void {
  const inputs = linear.inputCount;
  linear.inputs[inputs] = out;
  launchPointwise(program, inputs, 1, out.shape, out.numel, batch);
  forget();
}

/** The scratch must not keep values alive until the next launch. */
function forget(): void {
  if (linear.count > 16 || linear.inputCount > 8) {
    linear.inputs.fill(undefined as unknown as Value);
    linear.values.fill(undefined as unknown as Value);
    linear.outputs.fill(undefined as unknown as Value);
  }
}

function launchPointwise(
  program: Program,
  inputs: number,
  outputs: number,
  shape: Shape,
  numel: number,
  batch: LaunchBatch | null = null,
): void {
  const values = linear.inputs;
  for (let i = 0; i < inputs + outputs; i++) {
    const v = values[i]!;
    if (v.strides === null) ensureStrides(v);
  }
  const device = values[inputs]!.device;
  pointwiseLayout(values, inputs, outputs, shape, numel, linear.indexed);
  device.launches++;
  if (device.onLaunch !== null) device.onLaunch({ kernel: 'pointwise', shape, program: () => formatProgram(program) });
  if (batch !== null) batch.add(device, program, linear.scalars, layout.inputs, layout.outputs, true);
  else device.kernels.pointwise(program, linear.scalars, layout.inputs, layout.outputs);
}

/** Was a value worth computing before a reduction takes it as its program? Dear ones that others want too. */
function dearest(x: Value): Value | null {
  for (let i = linear.count - 1; i >= 0; i--) {
    const v = linear.values[i]!;
    if (v.cost > DEAR && v.uses + v.saves > (v === x ? 0 : v.innerUses)) return v;
  }
  return null;
}

/**
 * Reduces `x` over the dims in the bit set `axes`; a deferred `x` is the reduction's program and takes no memory. `outShape` is the result's
 * shape (the kept dims, or with sizes 1). `x` has a compute dtype that the kind takes, and elements.
 */
export function reduceValue(kind: ReduceKind, x: Value, axes: number, outShape: Shape): Value {
  const device = x.device;
  if (device.eager) materialise(x);
  begin();
  let slot = visit(x);
  if (linear.inputCount === 0) {
    // A constant, or made of indices: without inputs the kernel would have no shape to run over.
    materialise(x);
    begin();
    slot = visit(x);
  }
  for (let keep = dearest(x); keep !== null; keep = dearest(x)) {
    materialise(keep);
    begin();
    slot = visit(x);
    if (keep === x) break;
  }
  // Rather than the product alone, then a reduction of what is made of it: both in one kernel, and whoever wants them later finds them there.
  if (x.op !== IN_MEMORY && x.holders > 0 && readsOwnPromise(x)) {
    materialise(x);
    begin();
    slot = visit(x);
  }
  addOutput(x, slot);
  const dtype: DType = kind === 'argmax' || kind === 'argmin' ? 'int32' : x.dtype;
  const program = device.programs.lookup(x.shape);
  const memory = device.allocate(dtype, numelOf(outShape));
  const out = inMemory(memory, outShape, numelOf(outShape), null, 0, true);
  const inputs = linear.inputCount;
  linear.inputs[inputs] = out;
  for (let i = 0; i < inputs; i++) ensureStrides(linear.inputs[i]!);
  reduceLayout(linear.inputs, inputs, x.shape, axes, linear.indexed);
  device.launches++;
  if (device.onLaunch !== null) device.onLaunch({ kernel: `reduce ${kind}`, shape: x.shape, program: () => formatProgram(program) });
  device.kernels.reduce(kind, program, linear.scalars, layout.inputs, layout.outputs[0]!, layout.axes);
  forget();
  spent(x);
  return out;
}

/**
 * Writes `value` into the leaf `target` (same shape, any strides). `target` must not overlap what `value` reads, unless views are identical. What lies in
 * memory already may be left to `batch`.
 */
export function storeInto(target: Value, value: Value, batch: LaunchBatch | null = null): void {
  if (target.numel === 0) return;
  begin();
  const slot = visit(value);
  addOutput(target, slot);
  const program = target.device.programs.lookup(target.shape);
  run(program, target, value.op === IN_MEMORY ? batch : null);
  spent(value);
}

/** Does the expression read `memory` through a view other than exactly `target`? */
export function readsOtherwise(v: Value, target: Value): boolean {
  if (v.op === SCALAR) return false;
  if (v.op !== IN_MEMORY) {
    const n = arityOf(v.op);
    return (n > 0 && readsOtherwise(v.a!, target)) || (n > 1 && readsOtherwise(v.b!, target)) || (n > 2 && readsOtherwise(v.c!, target));
  }
  if (v.memory !== target.memory) return false;
  if (v.offset !== target.offset || v.shape.length !== target.shape.length) return true;
  const s = ensureStrides(v);
  const t = ensureStrides(target);
  for (let i = 0; i < s.length; i++) if (v.shape[i] !== target.shape[i] || (s[i] !== t[i] && v.shape[i] !== 1)) return true;
  return false;
}
