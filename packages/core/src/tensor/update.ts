/**
 * @file Update: a pointwise program with several results that are written over tensors, made once and run many times. It is what one step of an
 * optimizer is: no expression is built at a step, and parameter, gradient and state are read and written in one kernel.
 */
import type { Program } from '../backend/program.js';
import { DeviceError, ShapeError } from '../errors.js';
import { type Expression, e } from '../ops/expression.js';
import type { Device } from '../plugin/device.js';
import { type DType, DTYPE_INFO } from './dtype.js';
import { materialise } from './launch.js';
import { ensureStrides, layout, pointwiseLayout } from './layout.js';
import { addOutput, begin, linear, SCALARS, visit } from './linearize.js';
import type { Memory } from './memory.js';
import { sameShape } from './shape.js';
import type { Tensor } from './tensor.js';
import { updates } from './launch-batch.js';
import { IN_MEMORY, inMemory, narrow, scalarValue, Value } from './value.js';

/** The program of one combination of dtypes on one device. */
interface Compiled {
  readonly device: Device;
  readonly dtypes: readonly DType[];
  readonly program: Program;
  /** The tensor that each input of the program is. */
  readonly inputs: readonly number[];
  /** The scalar that each scalar of the program is; -1 for a number that the formula itself has. */
  readonly scalars: readonly number[];
  /** Those numbers, in their places. */
  readonly constants: Float64Array;
}

export class Update {
  #compiled: Compiled[] = [];

  /**
   * @param name For messages.
   * @param writes How many of the tensors are written: the first ones.
   * @param formula From the tensors' values and the scalars: the new values of the first tensors. Its text must not depend on run-time numbers.
   * @example new Update('sgd', 1, (e, [p, g], [lr]) => [e.sub(p, e.mul(g, lr))])
   */
  constructor(
    readonly name: string,
    readonly writes: number,
    readonly formula: (e: Expression, tensors: readonly Value[], scalars: readonly Value[]) => readonly Value[],
  ) {}

  /** Runs it on tensors of one shape and device. Versions of the written ones go up. No history is recorded. */
  run(tensors: readonly Tensor[], scalars: readonly number[]): void {
    const first = tensors[0]!;
    const { device, shape } = first;
    for (let i = 1; i < tensors.length; i++) {
      const t = tensors[i]!;
      if (t.device !== device)
        throw new DeviceError('ERR_DEVICE_MIX', `${this.name}: tensors on ${device.id} and ${t.device.id}`, { op: this.name });
      if (!sameShape(t.shape, shape))
        throw new ShapeError('ERR_UPDATE_SHAPE', `${this.name}: shapes [${shape.join(', ')}] and [${t.shape.join(', ')}]`, {
          op: this.name,
          shapes: [shape, t.shape],
        });
    }
    const numel = first.numel();
    if (numel === 0) return;
    const compiled = this.#lookup(device, tensors, scalars.length);
    const batch = device.kernels.pointwiseEach === undefined ? null : updates.batch;
    const alone = batch === null || !this.#canWait(tensors);
    if (alone) batch?.flush();
    for (let i = 0; i < tensors.length; i++) materialise(tensors[i]!.value);
    // A view whose memory others still read moves first: the copy is a launch of its own, which uses the same scratch.
    for (let i = 0; i < this.writes; i++) if (tensors[i]!.ownStrides !== null) tensors[i]!.storage.writable(true);
    this.#makeRoom(tensors);
    const { inputs } = compiled;
    begin();
    const values = linear.inputs;
    for (let i = 0; i < inputs.length; i++) values[i] = tensors[inputs[i]!]!.value;
    for (let i = 0; i < this.writes; i++) values[inputs.length + i] = this.#target(tensors[i]!);
    const count = inputs.length + this.writes;
    for (let i = 0; i < count; i++) if (values[i]!.strides === null) ensureStrides(values[i]!);
    for (let i = 0; i < compiled.scalars.length; i++) {
      const from = compiled.scalars[i]!;
      linear.scalars[i] = from < 0 ? compiled.constants[i]! : scalars[from]!;
    }
    pointwiseLayout(values, inputs.length, this.writes, shape, numel, false);
    device.launches++;
    if (device.onLaunch !== null) device.onLaunch({ kernel: this.name, shape });
    if (alone) device.kernels.pointwise(compiled.program, linear.scalars, layout.inputs, layout.outputs);
    else batch.add(device, compiled.program, linear.scalars, layout.inputs, layout.outputs);
    for (let i = 0; i < this.writes; i++) {
      const { storage } = tensors[i]!;
      storage.version++;
      const written = values[inputs.length + i]!;
      if (storage.value.memory !== written.memory) storage.replace(written);
    }
  }

  /**
   * May the launch wait for others? Views may move first, by a copy that must not come before what waits. Where a new value goes to fresh memory the old
   * one is not freed: deferred readers still need it.
   */
  #canWait(tensors: readonly Tensor[]): boolean {
    for (let i = 0; i < tensors.length; i++) {
      const t = tensors[i]!;
      if (i < this.writes && t.ownStrides !== null) return false;
      if (t.value.op !== IN_MEMORY || t.value.memory!.producer !== null) return false;
    }
    return true;
  }

  /** Where deferred readers hold so many of the old values that fresh memory would pass the backend's buffers, what is written to moves first. */
  #makeRoom(tensors: readonly Tensor[]): void {
    let buffers = tensors.length;
    for (let i = 0; i < this.writes; i++) if (isShared(tensors[i]!)) buffers++;
    if (buffers <= tensors[0]!.device.backend.capabilities.maxBuffers) return;
    for (let i = 0; i < this.writes; i++) tensors[i]!.storage.writable(true);
  }

  /** Where a tensor's new value goes: over the old one, or into fresh memory when deferred readers still need that. */
  #target(t: Tensor): Value {
    const { value } = t;
    if (t.ownStrides !== null || !isShared(t)) return value;
    return inMemory(t.device.allocate(t.dtype, value.numel), value.shape, value.numel, null, 0, true);
  }

  #lookup(device: Device, tensors: readonly Tensor[], scalars: number): Compiled {
    next: for (const c of this.#compiled) {
      if (c.device !== device || c.dtypes.length !== tensors.length) continue;
      for (let i = 0; i < tensors.length; i++) if (c.dtypes[i] !== tensors[i]!.dtype) continue next;
      return c;
    }
    const compiled = this.#trace(
      device,
      tensors.map((t) => t.dtype),
      scalars,
    );
    this.#compiled.push(compiled);
    return compiled;
  }

  /** Runs the formula on placeholders. */
  #trace(device: Device, dtypes: readonly DType[], scalarCount: number): Compiled {
    const shape = [1];
    // A formula becomes one program however often it uses a value: nothing may be launched while it is traced.
    const tracing = Object.create(device, { maxInstructions: { value: Infinity }, maxInputs: { value: Infinity } }) as Device;
    const leaves = dtypes.map((dtype) => {
      const v = new Value(IN_MEMORY, 0, shape, 1, dtype, tracing);
      v.memory = { pending: 0, bytes: 0 } as Memory;
      return v;
    });
    const scalars = Array.from({ length: scalarCount }, () => scalarValue(0, DTYPE_INFO[dtypes[0]!].compute, tracing));
    const outputs = this.formula(e, leaves, scalars).map((v, i) => narrow(v, dtypes[i]!));
    begin();
    for (const v of outputs) addOutput(v, visit(v));
    const program = device.programs.lookup(shape);
    const inputs: number[] = [];
    for (let i = 0; i < linear.inputCount; i++) inputs.push(leaves.indexOf(linear.inputs[i]!));
    const places = new Array<number>(linear.scalarCount).fill(-1);
    scalars.forEach((s, i) => {
      if (s.mark === linear.epoch) places[s.slot - SCALARS] = i;
    });
    return { device, dtypes, program, inputs, scalars: places, constants: linear.scalars.slice(0, linear.scalarCount) };
  }
}

/** Do deferred values, or another storage, need what its memory holds? */
function isShared(t: Tensor): boolean {
  const memory = t.value.memory!;
  return memory.pending > 0 || memory.owners > 1;
}
