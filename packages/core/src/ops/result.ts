/** @file From values to tensors: what each op ends with, and how kernels other than pointwise ones are fed. */
import type { View } from '../backend/contract.js';
import type { Rule } from '../autograd/node.js';
import { GradNode } from '../autograd/node.js';
import { edgeOf } from '../autograd/edge.js';
import { anomaly, gradState } from '../autograd/mode.js';
import type { Device } from '../plugin/device.js';
import type { DType } from '../tensor/dtype.js';
import { materialise } from '../tensor/launch.js';
import { contiguousStrides, numelOf, type Shape } from '../tensor/shape.js';
import { Storage } from '../tensor/storage.js';
import { Tensor } from '../tensor/tensor.js';
import { ensureStrides } from '../tensor/layout.js';
import { IN_MEMORY, inMemory, relabel, SCALAR, type Value } from '../tensor/value.js';

/** A tensor of its own for a value. */
export function wrap(value: Value): Tensor {
  if (value.op === SCALAR) value = relabel(value, value.shape, value.dtype);
  if (value.op === IN_MEMORY && !(value.contiguous && value.offset === 0 && value.memory!.length === value.numel))
    value = relabel(value, value.shape, value.dtype);
  if (value.device.eager) materialise(value);
  return new Tensor(new Storage(value), value.shape);
}

/** Is any of these part of a graph that is being recorded? */
export function recording(...inputs: readonly (Tensor | null | undefined)[]): boolean {
  if (!gradState.enabled) return false;
  for (let i = 0; i < inputs.length; i++) if (inputs[i]?.requiresGrad === true) return true;
  return false;
}

/** Gives `out` a history: `rule` will be asked for the gradients of `inputs`. Answers the node, for what the rule needs saved. */
export function attach(out: Tensor, name: string, inputs: readonly (Tensor | null)[], rule: Rule): GradNode {
  const edges: (GradNode | null)[] = [];
  for (let i = 0; i < inputs.length; i++) edges.push(inputs[i] === null ? null : edgeOf(inputs[i]!));
  const node = new GradNode(name, rule, edges);
  if (anomaly.on) node.trace = new Error('forward call').stack?.split('\n').slice(2).join('\n') ?? null;
  out.setGradFn(node);
  return node;
}

/** A leaf of fresh memory for a kernel to write: contents are not defined yet. */
export function emptyValue(device: Device, dtype: DType, shape: Shape): Value {
  const numel = numelOf(shape);
  return inMemory(device.allocate(dtype, numel), shape, numel, contiguousStrides(shape), 0, true);
}

/** A kernel declined: the outputs that it was offered are given back. */
export function declined(...outputs: readonly (Value | null)[]): null {
  for (const v of outputs) v?.memory!.abandon();
  return null;
}

class KernelView implements View {
  constructor(
    readonly buffer: View['buffer'],
    readonly dtype: DType,
    readonly shape: Shape,
    readonly strides: Shape,
    readonly offset: number,
  ) {}
}

/** A value as a kernel takes it: computed, with strides. */
export function viewOfValue(v: Value): View {
  if (v.op !== IN_MEMORY) materialise(v);
  return new KernelView(v.memory!.buffer, v.dtype, v.shape, ensureStrides(v), v.offset);
}

export const viewOf = (t: Tensor): View => viewOfValue(t.value);

/** The same memory seen otherwise: for kernels that want another shape than the tensor's. */
export function reshapedView(view: View, shape: Shape, strides: Shape, offset = view.offset): View {
  return new KernelView(view.buffer, view.dtype, shape, strides, offset);
}

/** Counts a launch, and tells who listens. */
export function launched(device: Device, kernel: string, shape: Shape): void {
  device.launches++;
  if (device.onLaunch !== null) device.onLaunch({ kernel, shape });
}
