import {
  type ComputeDType,
  type DType,
  makeProgram,
  type Opcode,
  OPCODES,
  type OpcodeInfo,
  type Program,
  resultDType,
} from '@tessera/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CpuBackend } from '../src/index.js';
import { identity, indicesOf, make, place, type Placement, placements, randoms, single, sizeOf, values } from './views.js';

const compiled = new CpuBackend();
const interpreted = new CpuBackend({ codegen: false });

/** Runs one program on both backends and expects the same bits; gives the values of each output. */
function both(
  program: Program,
  scalars: number[],
  shape: number[],
  inputs: { values: ArrayLike<number>; placement?: Placement }[],
  outputs?: (Placement | undefined)[],
): number[][] {
  const results = [compiled, interpreted].map((backend) => {
    const ins = inputs.map((input, i) => make(backend, program.inputs[i], shape, input.values, input.placement));
    const outs = program.outputs.map((o, i) => place(backend, o.dtype, shape, outputs?.[i]));
    backend.kernels.pointwise(program, scalars, ins, outs);
    return outs.map(values);
  });
  expect(results[1]).toEqual(results[0]);
  return results[0];
}

const TYPES: Record<OpcodeInfo['takes'], readonly ComputeDType[]> = {
  float: ['float32', 'float64'],
  number: ['float32', 'float64', 'int32'],
  int: ['int32'],
  bits: ['int32', 'bool'],
  any: ['float32', 'float64', 'int32', 'bool'],
};

const SPECIAL = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  NaN,
  Infinity,
  -Infinity,
  1e-45,
  -1e-45,
  1.1754942e-38,
  1.1754944e-38,
  3.4028234663852886e38,
  -3.4028234663852886e38,
  65504,
  65520,
  2147483648,
  -2147483648,
  1e10,
  16777217,
  0.99999994,
  1.0000001,
  88.7,
  88.8,
  -87.4,
  -103.9,
  -104.1,
  5.9604645e-8,
  2.9802322e-8,
  30,
  31,
  32,
  100,
  -100,
  171.6,
];
const GRID = [
  ...SPECIAL,
  ...randoms(1, 400, -4, 4),
  ...randoms(2, 200, -120, 120),
  ...randoms(3, 100, -1, 1),
  ...randoms(4, 100, -1e-3, 1e-3),
  ...randoms(5, 100, -1e6, 1e6),
];
const INTS = [0, 1, -1, 2, -2, 7, 31, 32, 33, -5, 255, 256, 65536, 2147483647, -2147483648, 123456789, -987654321];

const gridOf = (dtype: ComputeDType): number[] =>
  dtype === 'bool' ? [0, 1] : dtype === 'int32' ? INTS : dtype === 'float32' ? GRID.map(Math.fround) : GRID;

/** All pairs (or triples) of a short grid, or the grid itself. */
function argumentsOf(op: Opcode, dtype: ComputeDType): number[][] {
  const { arity } = OPCODES[op];
  const grid = gridOf(dtype);
  if (arity === 1) return [grid];
  const few = dtype.startsWith('float') ? grid.slice(0, SPECIAL.length + 20) : grid;
  const a: number[] = [];
  const b: number[] = [];
  for (const x of few) {
    for (const y of few) {
      a.push(x);
      b.push(y);
    }
  }
  return arity === 2 ? [a, b] : op === 'where' ? [a.map((_, i) => ((i * 7) % 3 === 0 ? 1 : 0)), a, b] : [a, b, a.toReversed()];
}

/** The distance of two float32 in units in the last place of the exact value. */
function ulps(actual: number, exact: number): number {
  if (Object.is(actual, Math.fround(exact)) || (actual !== actual && exact !== exact)) return 0;
  if (!Number.isFinite(actual) || !Number.isFinite(Math.fround(exact))) {
    // At the edge of overflow an error of some units may fall on either side.
    const limit = 3.4028234663852886e38;
    return Math.sign(actual) === Math.sign(exact) && Math.abs(actual) >= limit * 0.999 && Math.abs(exact) >= limit * 0.999 ? 0 : Infinity;
  }
  const unit = 2 ** (Math.max(-126, Math.floor(Math.log2(Math.max(Math.abs(exact), 1e-45)))) - 23);
  return Math.abs(actual - exact) / unit;
}

describe('each opcode, in each dtype, against its reference', () => {
  for (const op of Object.keys(OPCODES) as Opcode[]) {
    if (op === 'cast' || op === 'bitcast' || op === 'index') continue;
    const info: OpcodeInfo = OPCODES[op];
    for (const dtype of TYPES[info.takes]) {
      it(`${op} of ${dtype}`, () => {
        const args = argumentsOf(op, dtype);
        const inputs: ComputeDType[] = op === 'where' ? ['bool', dtype, dtype] : args.map(() => dtype);
        const result = resultDType(op, dtype);
        const [actual] = both(
          single(op, inputs, result),
          [],
          [args[0].length],
          args.map((v) => ({ values: v })),
        );
        const wrong = [...actual.entries()].flatMap(([i, got]) => {
          const [a, b, c] = args.map((v) => v[i]);
          let want = info.reference(a, b, c);
          if (op === 'not' && dtype === 'bool') want = 1 - a;
          if (result === 'int32') want = op === 'mul' ? Math.imul(a, b) : want | 0;
          const zeros = (op === 'max' || op === 'min') && a === 0 && b === 0;
          const error =
            result === 'float64'
              ? Object.is(got, want) || Math.abs(got - want) <= Math.abs(want) * 2e-15
                ? 0
                : Infinity
              : result === 'float32'
                ? ulps(got, want)
                : Object.is(got, want)
                  ? 0
                  : Infinity;
          const allowed = info.ulp === 0 ? 0 : info.ulp + 1;
          const tiny = result === 'float32' && op.startsWith('exp') && Math.abs(want) < 1.1754944e-38 && Math.abs(got) < 1.1754944e-38;
          return zeros || tiny || error <= allowed
            ? []
            : [`${op}(${[a, b, c].slice(0, info.arity).join(', ')}) = ${want}, got ${got}: ${error} ulp`];
        });
        expect(wrong).toEqual([]);
      });
    }
  }
});

describe('casts', () => {
  const cast = (from: DType, to: ComputeDType, output: DType, v: number[]): number[] =>
    both(
      makeProgram({
        inputs: [from],
        scalars: [],
        instructions: [{ op: 'cast', dtype: to, args: [0] }],
        outputs: [{ register: 1, dtype: output }],
      }),
      [],
      [v.length],
      [{ values: v }],
    )[0];

  it('float to int32 truncates and saturates; NaN gives 0', () => {
    const v = [1.9, -1.9, NaN, Infinity, -Infinity, 3e9, -3e9, 2147483520, -0.5];
    for (const from of ['float32', 'float64'] as const)
      expect(cast(from, 'int32', 'int32', v)).toEqual([1, -1, 0, 2147483647, -2147483648, 2147483647, -2147483648, 2147483520, 0]);
  });
  it('to bool is true where not 0, NaN included', () => {
    expect(cast('float32', 'bool', 'bool', [0, -0, NaN, 0.1, -2])).toEqual([0, 0, 1, 1, 1]);
    expect(cast('int32', 'bool', 'bool', [0, 5, -1])).toEqual([0, 1, 1]);
    expect(cast('uint8', 'bool', 'bool', [0, 5, 255])).toEqual([0, 1, 1]);
  });
  it('float64 and int32 to float32 round to nearest even', () => {
    expect(cast('float64', 'float32', 'float32', [1 + 2 ** -24, 1 + 3 * 2 ** -24, 1e300])).toEqual([1, 1 + 2 ** -22, Infinity]);
    expect(cast('int32', 'float32', 'float32', [16777217, 16777219, -2147483648])).toEqual([16777216, 16777220, -2147483648]);
  });
  it('widens and narrows through memory', () => {
    expect(both(identity('uint8'), [], [3], [{ values: [0, 200, 255] }])).toEqual([[0, 200, 255]]);
    expect(cast('int32', 'int32', 'uint8', [256, -1, 511])).toEqual([0, 255, 255]);
    const halves = [1, 65504, 65520, 5.9604645e-8, 2.9802322e-8, 1 + 2 ** -11, 1 + 3 * 2 ** -11, -0, NaN, -Infinity].map(Math.fround);
    expect(cast('float32', 'float32', 'float16', halves)).toEqual([1, 65504, Infinity, 2 ** -24, 0, 1, 1 + 2 ** -9, -0, NaN, -Infinity]);
    expect(cast('float32', 'float32', 'bfloat16', [1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38, NaN])).toEqual([1, 1 + 2 ** -6, Infinity, NaN]);
  });
  it('bitcast keeps bits', () => {
    const bits = makeProgram({
      inputs: ['float32'],
      scalars: [],
      instructions: [
        { op: 'bitcast', dtype: 'int32', args: [0] },
        { op: 'bitcast', dtype: 'float32', args: [1] },
      ],
      outputs: [
        { register: 1, dtype: 'int32' },
        { register: 2, dtype: 'float32' },
      ],
    });
    expect(both(bits, [], [3], [{ values: [1, -2, 0.5] }])).toEqual([
      [0x3f800000, -0x40000000, 0x3f000000],
      [1, -2, 0.5],
    ]);
  });
});

describe('programs', () => {
  /** x0 * s0 + x1, and whether that is above s1, and an index. */
  const program = makeProgram({
    inputs: ['float32', 'int32'],
    scalars: ['float32', 'float32'],
    instructions: [
      { op: 'mul', dtype: 'float32', args: [0, 2] },
      { op: 'cast', dtype: 'float32', args: [1] },
      { op: 'add', dtype: 'float32', args: [4, 5] },
      { op: 'gt', dtype: 'bool', args: [6, 3] },
      { op: 'index', dtype: 'int32', args: [], dim: 0 },
    ],
    outputs: [
      { register: 6, dtype: 'float32' },
      { register: 7, dtype: 'bool' },
      { register: 8, dtype: 'int32' },
      { register: 3, dtype: 'float16' },
    ],
  });

  it('on any layout, compiled and interpreted, against a loop', () => {
    const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        shapes.chain((shape) =>
          fc.tuple(
            fc.constant(shape),
            placements(shape.length, true),
            placements(shape.length, true),
            fc.array(placements(shape.length, false), { minLength: 4, maxLength: 4 }),
          ),
        ),
        fc.integer({ min: 1 }),
        ([shape, p0, p1, outs], seed) => {
          const n = sizeOf(shape);
          const seen = (values0: number[], p: Placement): number[] => values(make(compiled, 'float64', shape, values0, p));
          const x = randoms(seed, n).map(Math.fround);
          const y = randoms(seed + 1, n, -9, 9).map(Math.trunc);
          const results = both(
            program,
            [1.7, 0.5],
            shape,
            [
              { values: x, placement: p0 },
              { values: y, placement: p1 },
            ],
            outs,
          );
          const xs = seen(x, p0);
          const ys = seen(y, p1);
          const want = xs.map((v, i) => Math.fround(Math.fround(v * Math.fround(1.7)) + ys[i]));
          expect(results[0]).toEqual(want);
          expect(results[1]).toEqual(want.map((v) => (v > 0.5 ? 1 : 0)));
          expect(results[2]).toEqual([...indicesOf(shape)].map((index) => index[0]));
          expect(results[3]).toEqual(want.map(() => 0.5));
        },
      ),
      { numRuns: 150 },
    );
  });

  it.each([[[40, 37]], [[3, 33, 47]], [[2, 32, 32]]])('of shape %j on views that lie the other way round, in strips', (shape) => {
    const indexed = makeProgram({
      inputs: ['float32', 'int32'],
      scalars: [],
      instructions: [
        { op: 'cast', dtype: 'float32', args: [1] },
        { op: 'add', dtype: 'float32', args: [0, 2] },
        { op: 'index', dtype: 'int32', args: [], dim: shape.length - 1 },
        { op: 'index', dtype: 'int32', args: [], dim: shape.length - 2 },
      ],
      outputs: [
        { register: 3, dtype: 'float32' },
        { register: 4, dtype: 'int32' },
        { register: 5, dtype: 'int32' },
      ],
    });
    const rank = shape.length;
    const upright = [...shape.keys()];
    const across: Placement = {
      order: [...upright.slice(0, -2), rank - 1, rank - 2],
      flipped: upright.map((d) => d === rank - 1),
      gap: 1,
      broadcast: upright.map(() => false),
    };
    const x = randoms(3, sizeOf(shape)).map(Math.fround);
    const y = Array.from({ length: sizeOf(shape) }, (_, i) => i % 11);
    const [sum, column, row] = both(indexed, [], shape, [{ values: x, placement: across }, { values: y }]);
    expect(sum).toEqual(x.map((v, i) => Math.fround(v + y[i])));
    expect(column).toEqual([...indicesOf(shape)].map((index) => index[rank - 1]));
    expect(row).toEqual([...indicesOf(shape)].map((index) => index[rank - 2]));
  });

  it('writes in place where input and output are one view', () => {
    for (const backend of [compiled, interpreted]) {
      const view = make(backend, 'float32', [700], randoms(7, 700));
      const before = values(view);
      backend.kernels.pointwise(single('add', ['float32', 'float32'], 'float32'), [], [view, view], [view]);
      expect(values(view)).toEqual(before.map((v) => Math.fround(v + v)));
    }
  });

  it('refuses views of other dtypes', () => {
    const view = make(compiled, 'float32', [2], [1, 2]);
    expect(() => compiled.kernels.pointwise(identity('int32'), [], [view], [view])).toThrow('takes int32, int32');
  });

  it('keeps apart programs of two copies of core with one id', () => {
    const a = identity('float32');
    const b = {
      ...makeProgram({
        inputs: ['float32'],
        scalars: [],
        instructions: [{ op: 'neg', dtype: 'float32', args: [0] }],
        outputs: [{ register: 1, dtype: 'float32' }],
      }),
      id: a.id,
    };
    const run = (p: Program): number[] => {
      const out = place(compiled, 'float32', [2]);
      compiled.kernels.pointwise(p, [], [make(compiled, 'float32', [2], [1, 2])], [out]);
      return values(out);
    };
    expect([run(a), run(b), run(a), run(b)]).toEqual([
      [1, 2],
      [-1, -2],
      [1, 2],
      [-1, -2],
    ]);
  });

  it('philox gives the published words', () => {
    const words = both(
      single('philox', ['int32', 'int32', 'int32'], 'int32'),
      [],
      [2],
      [{ values: [0, 1] }, { values: [0, 0] }, { values: [0, 0] }],
    )[0];
    expect(words[0] >>> 0).toBe(0x6627e8d5);
  });
});
