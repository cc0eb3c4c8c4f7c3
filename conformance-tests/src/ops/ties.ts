/** @file Ops that name the place of an element, where PyTorch leaves open which one of several equal elements it is. */
import { expectedTensor, type HostTensor } from '../check/host-tensor.js';
import type { DecodedOpCase, Value } from '../fixtures/index.js';

/**
 * By their names in the data, with where their `dim` stands among the arguments; null where it is always 0. PyTorch's documentation says of
 * each that any of equal elements may be named (of sort and argsort, unless they are stable).
 */
const DIM_OF = { argsort: 1, kthvalue: 2, median: 1, mode: 1, msort: null, nanmedian: 1, sort: 1, topk: 2 } as const;

/** What may differ where elements are equal. */
export interface Ties {
  /** Do two tensors of places along the case's dim name equal elements? */
  readonly same: (got: HostTensor, expected: HostTensor) => boolean;
  /** A gradient of the input as it would be if the first of equal elements had been named each time: the sum over all of them lies there. */
  readonly merged: (gradient: HostTensor) => HostTensor;
}

/** Undefined where the places must be the same. */
export function tiesOf(op: string, { args, kwargs }: DecodedOpCase): Ties | undefined {
  const [input] = args;
  if (!(op in DIM_OF) || input?.kind !== 'tensor' || input.shape.length === 0) return undefined;
  if (kwargs.stable?.kind === 'bool' && kwargs.stable.value) return undefined;
  const place = DIM_OF[op as keyof typeof DIM_OF];
  const given = place === null ? 0 : numberOf(kwargs.dim ?? args[place]);
  const dim = given < 0 ? given + input.shape.length : given;
  const x = expectedTensor(input);
  return {
    same: (got, expected) => String(got.shape) === String(expected.shape) && samePlaces(x, dim, got, expected),
    merged: (gradient) => mergeEqual(x, dim, gradient),
  };
}

function mergeEqual(x: HostTensor, dim: number, gradient: HostTensor): HostTensor {
  if (String(gradient.shape) !== String(x.shape)) return gradient;
  const size = x.shape[dim];
  const inner = x.shape.slice(dim + 1).reduce((n, s) => n * s, 1);
  const data = new Array<number>(x.data.length).fill(0);
  for (let start = 0; start < x.data.length; start += size * inner) {
    for (let j = 0; j < inner; j++) {
      // Either zero is the same element.
      const first = new Map<number, number>();
      for (let k = 0; k < size; k++) {
        const at = start + k * inner + j;
        const element = x.data[at] + 0;
        if (!first.has(element)) first.set(element, at);
        data[first.get(element)!] += gradient.data[at];
      }
    }
  }
  return { ...gradient, data };
}

/** A dim that is given, or the last. */
const numberOf = (value: Value | undefined): number => (value?.kind === 'int' ? Number(value.value) : -1);

function samePlaces(x: HostTensor, dim: number, got: HostTensor, expected: HostTensor): boolean {
  const size = x.shape[dim];
  const inner = x.shape.slice(dim + 1).reduce((n, s) => n * s, 1);
  // With and without keepdim, places lie as the input does, with another size at `dim`.
  const count = got.data.length / (x.data.length / size || 1);
  for (let i = 0; i < got.data.length; i++) {
    const at = Math.floor(i / (inner * count)) * size * inner + (i % inner);
    const place = got.data[i];
    if (!(place >= 0 && place < size)) return false;
    if (!Object.is(x.data[at + place * inner] + 0, x.data[at + expected.data[i] * inner] + 0)) return false;
  }
  return isDistinct(got, inner, count);
}

/** No place comes twice along the dim. */
function isDistinct({ data }: HostTensor, inner: number, count: number): boolean {
  for (let start = 0; start < data.length; start += inner * count) {
    for (let j = 0; j < inner; j++) {
      const seen = new Set<number>();
      for (let k = 0; k < count; k++) seen.add(data[start + k * inner + j]);
      if (seen.size !== count) return false;
    }
  }
  return true;
}
