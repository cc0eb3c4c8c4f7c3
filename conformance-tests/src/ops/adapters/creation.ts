/** @file Making tensors: dtypes and devices are options, sizes come first. Random ones draw PyTorch's own numbers. */
import type { Tensor } from '@tessera/core';
import type { Adapter, Adapters } from './adapter.js';

const camel = (kwargs: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(kwargs).map(([name, value]) => [name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), value]),
  );

/** Options at the end, if there are any. */
const withOptions = (args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): unknown[] =>
  Object.keys(kwargs).length > 0 ? [...args, camel(kwargs)] : [...args];

const plain =
  (name: string): Adapter =>
  ({ library, args, kwargs }) =>
    library.fn(name)(...withOptions(args, kwargs));

/** Methods only: `x.newOnes(size, options)`. */
const method =
  (name: string): Adapter =>
  ({ library, args: [x, ...rest], kwargs }) =>
    library.method(x as Tensor, name)(...withOptions(rest, kwargs));

/** A window function of torch.signal.windows. */
const window =
  (name: string): Adapter =>
  ({ library, args, kwargs }) =>
    library.fn(`signal.windows.${name}`, `windows.${name}`, `${name}Window`)(...withOptions(args, kwargs));

/** In place only, on a copy: what comes is the written tensor. */
const writing =
  (name: string): Adapter =>
  ({ library, args: [x, ...rest], kwargs }) =>
    library.method((x as Tensor).clone(), name)(...withOptions(rest, kwargs));

export const CREATION: Adapters = {
  // torch.arange(end) and arange(start, end=…) both exist.
  arange: ({ library, args, kwargs: { end, ...kwargs } }) =>
    library.fn('arange')(...withOptions(end === undefined ? args : [...args, end], kwargs)),
  eye: plain('eye'),
  ones: plain('ones'),
  zeros: plain('zeros'),
  scalar_tensor: plain('scalarTensor'),
  tril_indices: ({ library, args: [row, col, offset], kwargs }) =>
    library.fn('trilIndices')(row, col, ...withOptions([], offset === undefined ? kwargs : { offset, ...kwargs })),
  triu_indices: ({ library, args: [row, col, offset], kwargs }) =>
    library.fn('triuIndices')(row, col, ...withOptions([], offset === undefined ? kwargs : { offset, ...kwargs })),
  // PyTorch's op list calls randn_like here; randLike is tested in core.
  rand_like: plain('randnLike'),
  randn: plain('randn'),
  randn_like: plain('randnLike'),
  randint: plain('randint'),
  randint_like: plain('randintLike'),
  new_full: method('newFull'),
  new_ones: method('newOnes'),
  new_zeros: method('newZeros'),
  exponential: ({ library, args: [x, lambd] }) => library.method((x as Tensor).clone(), 'exponential_')(lambd),
  uniform: ({ library, args: [x, from, to] }) => library.method((x as Tensor).clone(), 'uniform_')(from, to),
  zero_: writing('zero_'),
  'signal.windows.bartlett': window('bartlett'),
  'signal.windows.blackman': window('blackman'),
  'signal.windows.cosine': window('cosine'),
  'signal.windows.exponential': window('exponential'),
  'signal.windows.gaussian': window('gaussian'),
  'signal.windows.general_cosine': window('generalCosine'),
  'signal.windows.general_hamming': window('generalHamming'),
  'signal.windows.hamming': window('hamming'),
  'signal.windows.hann': window('hann'),
  'signal.windows.kaiser': window('kaiser'),
  'signal.windows.nuttall': window('nuttall'),
};
