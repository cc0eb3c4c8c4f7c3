/** @file What `@tessera/core/backend` gives to the authors of backends: walks over views, checks of indices and dtypes, tables of programs. */
import {
  checkKernelDType,
  DTypeError,
  failIndexRange,
  IndexError,
  mergeDims,
  type Program,
  ProgramTable,
  type View,
  walkRows,
  without,
} from '@tessera/core/backend';
import { describe, expect, it } from 'vitest';

describe('mergeDims', () => {
  it('makes one dim of what all views have contiguous', () => {
    expect(
      mergeDims(
        [2, 3, 4],
        [
          [12, 4, 1],
          [0, 4, 1],
        ],
      ),
    ).toEqual({
      shape: [2, 12],
      strides: [
        [12, 1],
        [0, 1],
      ],
    });
  });

  it('leaves out dims of size 1, and makes one row of a 0-d view', () => {
    expect(mergeDims([1, 5, 1], [[7, 2, 9]])).toEqual({ shape: [5], strides: [[2]] });
    expect(mergeDims([], [[]])).toEqual({ shape: [1], strides: [[0]] });
  });
});

it('walkRows visits the first element of each row, in row-major order', () => {
  const seen: string[] = [];
  walkRows({ shape: [2, 2, 3], strides: [[10, -2, 1], without([6, 3, 1], 0)] }, [4, 0], ([a, b]) => seen.push(`${a} ${b}`));
  expect(seen).toEqual(['4 0', '2 3', '14 0', '12 3']);
});

it('failIndexRange names the first index that is out of range', () => {
  const indices = { buffer: {}, dtype: 'int32', shape: [2, 2], strides: [1, 2], offset: 1 } as unknown as View;
  const data = [99, 0, 5, 1, 7];
  expect(() => failIndexRange('gather', 'mine', indices, 0, 3, (at) => data[at]!)).toThrow(
    expect.objectContaining({ code: 'ERR_INDEX_RANGE', message: expect.stringContaining('gather: index 5 at [1, 0] is out of range') }),
  );
  expect(() => failIndexRange('gather', 'mine', indices, 0, 9, (at) => data[at]!)).toThrow(IndexError);
});

it('checkKernelDType refuses what the contract does not list', () => {
  expect(() => checkKernelDType('mine', 'scan', 'bool')).toThrow(DTypeError);
  expect(() => checkKernelDType('mine', 'scan', 'float32')).not.toThrow();
});

it('a ProgramTable tells programs of a second copy of core from those of the first', () => {
  const table = new ProgramTable<string>();
  const [first, second] = [{ id: 3 } as Program, { id: 3 } as Program];
  table.entry(first).remember(1, 'first');
  table.entry(second).remember(1, 'second');
  expect([table.entry(first).find(1), table.entry(second).find(1), table.entry(first).find(2)]).toEqual(['first', 'second', null]);
});
