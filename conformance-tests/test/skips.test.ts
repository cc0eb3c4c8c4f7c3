/** @file What is left out on purpose is known by its arguments, at whatever place the data have it. */
import type { SafetensorsTensor } from '@tessera/io';
import { describe, expect, it } from 'vitest';
import type { EncodedCall, EncodedValue } from '../src/fixtures/index.js';
import { differenceOf, skipOf } from '../src/skips.js';

const floats = (shape: number[], values: number[]): SafetensorsTensor => ({
  dtype: 'F32',
  shape,
  data: new Uint8Array(Float32Array.from(values).buffer),
});
const integers = (shape: number[], values: bigint[]): SafetensorsTensor => ({
  dtype: 'I64',
  shape,
  data: new Uint8Array(BigInt64Array.from(values).buffer),
});
const tensors = new Map([
  ['t0', floats([2], [1, -2e9])],
  ['t1', floats([2], [1, 3e9])],
  ['t2', floats([1], [NaN])],
  ['t3', floats([2], [-Infinity, -1e30])],
  ['t4', floats([], [1])],
  ['t5', integers([], [1n])],
  ['t6', integers([1], [1n])],
]);
const call = (args: EncodedValue[], kwargs: EncodedCall['kwargs'] = {}): EncodedCall => ({ args, kwargs });
const skipped = (op: string, args: EncodedValue[], kwargs: EncodedCall['kwargs'] = {}): boolean =>
  skipOf(op, call(args, kwargs), tensors) !== undefined;

describe('skips', () => {
  it('leave out narrow from a tensor that is no whole number', () => {
    expect(skipped('narrow', [{ t: 0 }, 0, { t: 6 }, 1])).toBe(true);
    expect(skipped('narrow', [{ t: 0 }, 0, { t: 4 }, 1])).toBe(true);
    expect(skipped('narrow', [{ t: 0 }, 0, { t: 5 }, 1])).toBe(false);
    expect(skipped('narrow', [{ t: 0 }, 0, -9, 1])).toBe(false);
  });

  it('leave out options that there are not, but not other dims', () => {
    expect(skipped('count_nonzero', [{ t: 0 }], { dim: 0, keepdim: true })).toBe(true);
    expect(skipped('count_nonzero', [{ t: 0 }], { dim: { tuple: [0, 0] } })).toBe(false);
    expect(skipped('amax', [{ t: 0 }], { out: { t: 1 } })).toBe(true);
  });

  it('leave out what only Python can tell apart', () => {
    for (const op of ['linspace', 'logspace', 'linspace.tensor_overload']) {
      expect(skipped(op, [0, 3, { f: 1 }])).toBe(true);
      expect(skipped(op, [0, { f: 3 }], { steps: { f: 1 } })).toBe(true);
      expect(skipped(op, [{ f: 0 }, { f: 3 }, 1])).toBe(false);
    }
    expect(skipped('__radd__', [2, { t: 0 }])).toBe(true);
    expect(skipped('__radd__', [{ t: 0 }, 2])).toBe(false);
    expect(skipped('add', [2, { t: 0 }])).toBe(false);
  });
});

describe('differences', () => {
  it('are floats above int32 and NaN, where int() does not give what x86 processors do', () => {
    const differs = (t: number): boolean => differenceOf('int', call([{ t }]), tensors) !== undefined;
    expect([0, 1, 2, 3, 5].map(differs)).toEqual([false, true, true, false, false]);
  });
});
