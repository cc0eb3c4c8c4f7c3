/** @file Moving and converting what a module holds, under the same handles: optimizers and users keep the parameters that they have. */
import { checkOptions } from '../options.js';
import { noGrad } from '../autograd/mode.js';
import { DTypeError } from '../errors.js';
import { noTarget } from '../ops/copy.js';
import { TO_OPTIONS, type ToOptions } from '../ops/to-options.js';
import type { DeviceLike } from '../plugin/runtime.js';
import { type DType, DTYPES, isFloat } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { ownBuffers, ownParameters } from './members.js';
import type { Module } from './module.js';
import { namedModules } from './traversal.js';

/** Every parameter, its gradient and every buffer, once. */
function* tensorsOf(module: Module, recurse = true): Generator<Tensor> {
  const seen = new Set<Tensor>();
  for (const m of recurse ? namedModules(module).map(([, below]) => below) : [module]) {
    for (const [, t] of [...ownParameters(m), ...ownBuffers(m)] as [string, Tensor][]) {
      if (seen.has(t)) continue;
      seen.add(t);
      yield t;
      if (t.ownGrad !== null) yield t.ownGrad;
    }
  }
}

/** A dtype, a device or its id, a tensor to be like, or options: what `to` takes. */
export type ToTarget = DeviceLike | Tensor | ToOptions;

/** Floats get the dtype, everything gets the device. */
function targetOf(target: ToTarget): (t: Tensor) => ToOptions {
  if (typeof target !== 'string' && (typeof target !== 'object' || target === null)) noTarget(target);
  const options: ToOptions =
    typeof target === 'string'
      ? (DTYPES as readonly string[]).includes(target)
        ? { dtype: target as DType }
        : { device: target }
      : 'storage' in target
        ? { device: target.device, dtype: target.dtype }
        : 'backend' in target
          ? { device: target }
          : checkOptions('to', target, TO_OPTIONS);
  const { device, dtype } = options;
  if (dtype !== undefined && !isFloat(dtype)) {
    throw new DTypeError('ERR_DTYPE', `nn.Module.to only accepts floating point dtypes, but got desired dtype=${dtype}`, {
      op: 'to',
      dtypes: [dtype],
    });
  }
  return (t) => ({ ...(device === undefined ? {} : { device }), ...(dtype === undefined || !isFloat(t.dtype) ? {} : { dtype }) });
}

/** Gives each tensor the contents that `fn` makes from it. */
export function convert(module: Module, fn: (t: Tensor) => Tensor, recurse = true): void {
  noGrad(() => {
    for (const t of tensorsOf(module, recurse)) t.become(fn(t));
  });
}

export function moveTo(module: Module, target: ToTarget): void {
  const optionsFor = targetOf(target);
  convert(module, (t) => t.to(optionsFor(t)));
}

export async function moveToAsync(module: Module, target: ToTarget): Promise<void> {
  const optionsFor = targetOf(target);
  // All are read before one changes: a device that fails half-way leaves the module whole.
  const moved: [Tensor, Tensor][] = [];
  for (const t of tensorsOf(module)) {
    const from = t.detach();
    moved.push([t, await from.toAsync(optionsFor(t))]);
  }
  for (const [t, there] of moved) t.become(there);
}
