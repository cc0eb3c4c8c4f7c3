/** @file What PyTorch has as methods only, or takes in an order of its own. */
import { enableGrad, grad, isTensor, type Tensor } from '@tessera/core';
import type { Library } from '../../subject/library.js';
import { camelCase } from '../signature.js';
import type { Adapter, Adapters } from './adapter.js';

/** `x.name(…)`. */
const method =
  (name: string): Adapter =>
  ({ library, args: [x, ...rest] }) =>
    library.method(x as Tensor, name)(...rest);

/** `x.double()` and its kin, which may be spelled `x.to('float64')` as well. */
const conversion =
  (name: string): Adapter =>
  ({ library, args: [x] }) =>
    library.method(x as Tensor, name)();

/** PyTorch takes `unbiased` in place of `correction` in its older forms, also as the one argument after the input. */
const deviation =
  (name: string): Adapter =>
  ({ library, args: [x, second], kwargs: { dim, unbiased, correction, keepdim } }) => {
    const old = typeof second === 'boolean' ? second : unbiased;
    const options = {
      ...(old !== undefined && { correction: old === true ? 1 : 0 }),
      ...(correction !== undefined && correction !== null && { correction }),
      ...(keepdim !== undefined && { keepdim }),
    };
    const given = dim ?? (typeof second === 'boolean' ? undefined : second);
    return library.fn(name)(x, given, ...(Object.keys(options).length > 0 ? [options] : []));
  };

export const METHODS: Adapters = {
  bool: conversion('bool'),
  double: conversion('double'),
  float: conversion('float'),
  half: conversion('half'),
  int: conversion('int'),
  long: conversion('long'),
  // The data give dtype, device or another tensor, then non_blocking and copy, which change no value.
  to: ({ library, args: [x, ...rest] }) => {
    const other = rest.find(isTensor);
    const names = rest.filter((arg): arg is string => typeof arg === 'string');
    const dtype = other?.dtype ?? names.find((name) => name !== 'cpu');
    return library.method(x as Tensor, 'to')(dtype);
  },
  item: ({ library, subject, args: [x] }) => library.method(x as Tensor, subject.device.syncRead ? 'item' : 'itemAsync')(),
  contiguous: method('contiguous'),
  expand: method('expand'),
  expand_as: method('expandAs'),
  view: method('view'),
  view_as: method('viewAs'),
  reshape_as: method('reshapeAs'),
  repeat: method('repeat'),
  sum_to_size: method('sumToSize'),
  unfold: method('unfold'),
  broadcast_shapes: ({ library, args: [a, b] }) => library.fn('broadcastShapes')(sizes(a), sizes(b)),
  where: ({ library, args: [self, condition, other] }) => library.fn('where')(condition, self, other),
  einsum: ({ library, args: [tensors, equation] }) => library.fn('einsum')(equation, ...(tensors as readonly Tensor[])),
  std: deviation('std'),
  var: deviation('var'),
  std_mean: deviation('stdMean'),
  var_mean: deviation('varMean'),
  // `torch.max` of two tensors is an op of its own.
  'max.binary': ({ library, args }) => library.fn('max')(...args),
  'min.binary': ({ library, args }) => library.fn('min')(...args),
  'meshgrid.variadic_tensors': ({ library, args, kwargs }) => library.fn('meshgrid')(...args, kwargs),
  'nn.functional.embedding': ({ library, args: [weight, index], kwargs }) => library.fn('F.embedding')(index, weight, ...optional(kwargs)),
  'nn.functional.embedding_bag': ({ library, args: [weight, index], kwargs: { offsets, ...kwargs } }) =>
    library.fn('F.embeddingBag')(index, weight, offsets ?? null, ...optional(kwargs)),
  // The gradient of max_pool2d for ones, which are no part of a graph: so it has no gradient itself.
  max_pool2d_with_indices_backward: ({ library, args: [x], kwargs: { kernel_size: kernelSize, return_indices: _, ...kwargs } }) => {
    const input = (x as Tensor).requiresGrad ? (x as Tensor) : (x as Tensor).detach().requiresGrad_();
    return enableGrad(() => {
      const out = library.fn('F.maxPool2d')(input, kernelSize, ...optional(kwargs)) as Tensor;
      return grad(out.sum(), input)[0];
    });
  },
  // PyTorch's inner functions number their modes.
  grid_sampler_2d: ({ library, args }) => gridSample(library, args),
  grid_sampler_3d: ({ library, args }) => gridSample(library, args),
  rot90_flip_views: ({ library, args: [x] }) => (library.method((x as Tensor).t(), 'flip')([0]) as Tensor).slice(0, 1),
};

const GRID_MODES = ['bilinear', 'nearest', 'bicubic'];
const GRID_PADDINGS = ['zeros', 'border', 'reflection'];
const gridSample = (library: Library, [input, grid, mode, padding, alignCorners]: readonly unknown[]): unknown =>
  library.fn('F.gridSample')(input, grid, {
    mode: GRID_MODES[mode as number],
    paddingMode: GRID_PADDINGS[padding as number],
    alignCorners,
  });

const sizes = (x: unknown): unknown => (typeof x === 'number' ? [x] : x);

/** An options object of what is not None, if anything is left. */
function optional(kwargs: Readonly<Record<string, unknown>>): [] | [Record<string, unknown>] {
  const given = Object.entries(kwargs).filter(([, value]) => value !== null);
  return given.length > 0 ? [Object.fromEntries(given.map(([name, value]) => [camelCase(name), value]))] : [];
}
