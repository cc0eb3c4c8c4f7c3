/** @file Options of optimizers: defaults, and what values they may have. */
import { didYouMean, isTensor, kindOf, type Tensor, ValueError } from '@tessera/core';

/**
 * PyTorch's switches between its own implementations of one optimizer. Here each update is one fused program on every device, so they change
 * nothing; they are taken, and saved, so that options and checkpoints carry over.
 */
export interface ImplementationOptions {
  /** No effect. Default null. */
  foreach: boolean | null;
  /** Refused when true: updates are made in place and leave no history. Default false. */
  differentiable: boolean;
}
export interface CapturableOption {
  /** No effect. Default false. */
  capturable: boolean;
}
export interface FusedOption {
  /** No effect. Default null. */
  fused: boolean | null;
}

/** @throws ValueError `ERR_OPTIM_OPTION` */
export function refuseOption(typeName: string, why: string): never {
  throw new ValueError('ERR_OPTIM_OPTION', `${typeName}: ${why}`);
}

/** PyTorch takes a learning rate in second place; here it goes into the options. @throws ValueError `ERR_OPTIM_OPTION` */
export function requireOptions(typeName: string, options: unknown): void {
  if (typeof options !== 'object' || options === null || isTensor(options))
    refuseOption(typeName, `options go into one object, { lr: … }, and this is ${kindOf(options)}`);
}

/** Defaults with the options that were given; undefined means not given. @throws ValueError `ERR_OPTIM_OPTION` for a name that is no option. */
export function withOptions<O extends object>(typeName: string, defaults: O, options: Partial<O>): O {
  const full: Record<string, unknown> = { ...(defaults as Record<string, unknown>) };
  requireOptions(typeName, options);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(defaults, name)) {
      refuseOption(
        typeName,
        `there is no option '${name}'; there are ${Object.keys(defaults).join(', ')}${didYouMean(name, Object.keys(defaults))}`,
      );
    }
    if (value !== undefined) full[name] = value;
  }
  return full as O;
}

/** Types of values, for callers without a compiler, by those of the defaults. */
export function checkTypes(typeName: string, options: object, defaults: object): void {
  for (const [name, standard] of Object.entries(defaults) as [string, unknown][]) {
    const value: unknown = (options as Record<string, unknown>)[name];
    if (isTensor(value)) refuseTensor(typeName, name, value);
    if (typeof standard === 'number' || typeof standard === 'boolean') {
      if (typeof value !== typeof standard) refuseOption(typeName, `${name} must be a ${typeof standard}, not ${describe(value)}`);
    } else if (Array.isArray(standard)) {
      if (!Array.isArray(value) || value.length !== standard.length)
        refuseOption(typeName, `${name} must be an array of ${standard.length} numbers, not ${describe(value)}`);
      for (const x of value as unknown[]) {
        if (isTensor(x)) refuseTensor(typeName, name, x);
        if (typeof x !== 'number' && x !== null) refuseOption(typeName, `${name} must hold numbers, not ${describe(x)}`);
      }
    }
  }
  checkImplementation(typeName, options as Partial<ImplementationOptions & FusedOption>);
}

function refuseTensor(typeName: string, name: string, value: Tensor): never {
  if (value.numel() !== 1) refuseOption(typeName, `Tensor ${name} must be 1-element`);
  return refuseOption(
    typeName,
    `${name} must be a number: a tensor would have to be read back at each step, and a number costs no compilation when it changes`,
  );
}

function checkImplementation(typeName: string, { differentiable, foreach, fused }: Partial<ImplementationOptions & FusedOption>): void {
  if (differentiable === true)
    refuseOption(typeName, 'differentiable is not supported: updates are made in place and leave no history to differentiate');
  if (fused === true && foreach === true) refuseOption(typeName, '`fused` and `foreach` cannot be `True` together.');
}

function describe(x: unknown): string {
  return x === null ? 'null' : Array.isArray(x) ? `an array of ${x.length}` : typeof x === 'number' ? String(x) : typeof x;
}
