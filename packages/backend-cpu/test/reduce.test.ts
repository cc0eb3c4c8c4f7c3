import { type ComputeDType, makeProgram, type Program, type ReduceKind } from '@tessera/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CpuBackend } from '../src/index.js';
import { type CpuView, identity, indicesOf, make, place, type Placement, placements, randoms, sizeOf, values } from './views.js';

const compiled = new CpuBackend();
const interpreted = new CpuBackend({ codegen: false });
const KINDS: readonly ReduceKind[] = ['sum', 'prod', 'max', 'min', 'argmax', 'argmin'];

const outDType = (kind: ReduceKind, dtype: ComputeDType): ComputeDType => (kind.startsWith('arg') ? 'int32' : dtype);

function both(
  kind: ReduceKind,
  program: Program,
  shape: number[],
  axes: number[],
  inputs: { values: ArrayLike<number>; placement?: Placement }[],
  output?: Placement,
): number[] {
  const outShape = shape.map((n, d) => (axes.includes(d) ? 1 : n));
  const [a, b] = [compiled, interpreted].map((backend) => {
    const ins = inputs.map((input, i) => make(backend, program.inputs[i], shape, input.values, input.placement));
    const out = place(backend, outDType(kind, program.outputs[0].dtype as ComputeDType), outShape, output);
    backend.kernels.reduce(kind, program, [], ins, out, axes);
    return values(out);
  });
  expect(b).toEqual(a);
  return a;
}

/** The contract, naively. */
function naive(kind: ReduceKind, dtype: ComputeDType, xs: number[]): number {
  if (kind === 'sum') return dtype === 'int32' ? xs.reduce((s, v) => (s + v) | 0, 0) : xs.reduce((s, v) => s + v, 0);
  if (kind === 'prod') return dtype === 'int32' ? xs.reduce((s, v) => Math.imul(s, v), 1) : xs.reduce((s, v) => s * v, 1);
  if (kind === 'max' || kind === 'min') return Math[kind](...xs);
  const best = xs.some(Number.isNaN) ? NaN : Math[kind === 'argmax' ? 'max' : 'min'](...xs);
  return xs.findIndex((v) => v === best || (v !== v && best !== best));
}

describe('reduce', () => {
  for (const kind of KINDS) {
    for (const dtype of ['float32', 'float64', 'int32', 'bool'] as const) {
      if (dtype === 'bool' && kind !== 'max' && kind !== 'min') continue;
      it(`${kind} of ${dtype} over any axes of any layout`, () => {
        fc.assert(
          fc.property(
            fc
              .array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 })
              .chain((shape) =>
                fc.tuple(
                  fc.constant(shape),
                  fc.subarray([...shape.keys()], { minLength: 1 }),
                  placements(shape.length, true),
                  placements(shape.length, false),
                ),
              ),
            fc.integer({ min: 1 }),
            fc.boolean(),
            ([shape, axes, placement, output], seed, withNaN) => {
              const n = sizeOf(shape);
              let data = randoms(seed, n, -3, 3).map((v) =>
                dtype === 'bool' ? (v > 1 ? 1 : 0) : dtype === 'int32' ? Math.trunc(v) : Math.fround(Math.round(v * 4) / 4),
              );
              if (withNaN && dtype.startsWith('float')) data = data.map((v, i) => (i % 5 === 3 ? NaN : i % 7 === 2 ? Infinity : v));
              const seen = values(make(compiled, dtype, shape, data, placement));
              const groups = new Map<string, number[]>();
              [...indicesOf(shape)].forEach((index, i) => {
                const key = index.map((x, d) => (axes.includes(d) ? 0 : x)).join();
                groups.set(key, [...(groups.get(key) ?? []), seen[i]]);
              });
              const want = [...groups.values()].map((xs) => naive(kind, dtype, xs)).map((v) => (dtype === 'float32' ? Math.fround(v) : v));
              const got = both(kind, identity(dtype), shape, axes, [{ values: data, placement }], output);
              got.forEach((v, i) => {
                if (v !== want[i] && !(v !== v && want[i] !== want[i]))
                  expect(Math.abs(v - want[i])).toBeLessThanOrEqual(Math.abs(want[i]) * 1e-6 + 1e-12);
              });
            },
          ),
          { numRuns: 100 },
        );
      });
    }
  }

  it('runs its program first', () => {
    const squares = makeProgram({
      inputs: ['float32', 'float32'],
      scalars: [],
      instructions: [{ op: 'mul', dtype: 'float32', args: [0, 1] }],
      outputs: [{ register: 2, dtype: 'float32' }],
    });
    const x = [1, 2, 3, 4, 5, 6];
    expect(both('sum', squares, [2, 3], [1], [{ values: x }, { values: x }])).toEqual([14, 77]);
    expect(both('sum', squares, [2, 3], [0], [{ values: x }, { values: x }])).toEqual([17, 29, 45]);
  });

  it('reads indices in a program', () => {
    const program = makeProgram({
      inputs: ['int32'],
      scalars: [],
      instructions: [0, 1]
        .map((dim) => ({ op: 'index' as const, dtype: 'int32' as const, args: [], dim }))
        .concat([
          { op: 'mul' as never, dtype: 'int32', args: [1, 2] } as never,
          { op: 'add' as never, dtype: 'int32', args: [0, 3] } as never,
        ]),
      outputs: [{ register: 4, dtype: 'int32' }],
    });
    const shape = [3, 5];
    const data = Array.from({ length: 15 }, (_, i) => i);
    const total = (keep: (index: number[]) => boolean): number =>
      [...indicesOf(shape)].reduce((s, index, i) => (keep(index) ? s + i + index[0] * index[1] : s), 0);
    expect(both('sum', program, shape, [0], [{ values: data }])).toEqual([0, 1, 2, 3, 4].map((j) => total((index) => index[1] === j)));
    expect(both('sum', program, shape, [1], [{ values: data }])).toEqual([0, 1, 2].map((i) => total((index) => index[0] === i)));
  });

  it('sums many float32 as accurately as float64 would', () => {
    const n = 50_000;
    const x = Float32Array.from(randoms(3, n, 0, 1));
    const exact = x.reduce((s, v) => s + v, 0);
    expect(both('sum', identity('float32'), [n], [0], [{ values: x }])).toEqual([Math.fround(exact)]);
  });

  it('sums float64 with what rounding takes away carried along', () => {
    const x = [1, 1e100, 1, -1e100, ...new Array<number>(1000).fill(0.125)];
    expect(both('sum', identity('float64'), [x.length], [0], [{ values: x }])).toEqual([127]);
    const columns = x.flatMap((v) => [v, v, v, v, v]);
    expect(both('sum', identity('float64'), [x.length, 5], [0], [{ values: columns }])).toEqual([127, 127, 127, 127, 127]);
    expect(both('sum', identity('float64'), [3], [0], [{ values: [1, Infinity, 2] }])).toEqual([Infinity]);
  });

  it('gives the same bits for one array whatever its layout', () => {
    const shape = [300, 70];
    const data = randoms(11, sizeOf(shape)).map(Math.fround);
    const plain = both('sum', identity('float32'), shape, [0], [{ values: data }]);
    const transposed: Placement = { order: [1, 0], flipped: [], gap: 0, broadcast: [] };
    expect(both('sum', identity('float32'), shape, [0], [{ values: data, placement: transposed }])).toEqual(plain);
  });

  it('takes columns beyond one block', () => {
    const shape = [3, 2500];
    const data = randoms(12, sizeOf(shape)).map(Math.fround);
    const want = Array.from({ length: 2500 }, (_, j) => Math.fround(data[j] + data[2500 + j] + data[5000 + j]));
    expect(both('sum', identity('float32'), shape, [0], [{ values: data }])).toEqual(want);
    expect(both('argmax', identity('float32'), shape, [0], [{ values: data }])).toEqual(
      want.map((_, j) => naive('argmax', 'float32', [data[j], data[2500 + j], data[5000 + j]])),
    );
  });

  it('refuses what is not defined', () => {
    const view = make(compiled, 'bool', [2], [1, 0]) as CpuView;
    expect(() => compiled.kernels.reduce('sum', identity('bool'), [], [view], place(compiled, 'bool', [1]), [0])).toThrow(
      'sum of bool is not defined',
    );
    expect(() => compiled.kernels.reduce('sum', identity('float32'), [], [], place(compiled, 'float32', [1]), [0])).toThrow('no shape');
  });
});
