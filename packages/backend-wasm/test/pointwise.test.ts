/** Pointwise programs: storage dtypes, layouts, tails, scalars, indices, several outputs, in place; the same bits fused or not. */
import { type DType, makeProgram, scalarFunctions } from '@tessera/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WasmBackend } from '../src/index.js';
import { contiguous, empty, identity, make, randoms, single, sizeOf, values, type WasmView } from './views.js';

const wasm = new WasmBackend({ threads: 1, deterministic: true });
const f = 'float32';

describe('layouts', () => {
  const anyLayout = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }).chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      order: fc.shuffledSubarray([...shape.keys()], { minLength: shape.length }),
      flipped: fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
      broadcast: fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
      gap: fc.constantFrom(0, 0, 1, 3),
    }),
  );

  it('of any strides are read and written where they are, and nowhere else', () => {
    fc.assert(
      fc.property(anyLayout, ({ shape, order, flipped, broadcast, gap }) => {
        const strides = new Array<number>(shape.length).fill(0);
        let step = 1 + gap;
        let offset = 0;
        for (const d of order.toReversed()) {
          strides[d] = flipped[d] ? -step : step;
          if (flipped[d]) offset += step * (shape[d] - 1);
          step *= shape[d];
        }
        const data = randoms(step, step + 4);
        const x: WasmView = {
          ...make(wasm, f, [step + 4], data),
          shape,
          strides: strides.map((s, d) => (broadcast[d] && s > 0 ? 0 : s)),
          offset,
        };
        const out: WasmView = { ...make(wasm, f, [step + 4], new Float32Array(step + 4).fill(7)), shape, strides, offset };
        wasm.kernels.pointwise(single('neg', [f], f), [], [x], [out]);
        expect(values(wasm, out)).toEqual(values(wasm, x).map((v) => -v));
        const untouched = values(wasm, { ...out, shape: [step + 4], strides: [1], offset: 0 }).filter((v) => v === 7).length;
        expect(untouched).toBe(step + 4 - sizeOf(shape));
        wasm.free(x.buffer);
        wasm.free(out.buffer);
      }),
      { numRuns: 150 },
    );
  });

  it.each([2, 4, 8, 1] as const)('transposed ones are copied tile by tile (%i bytes an element)', (size) => {
    const dtype: DType = ({ 1: 'uint8', 2: 'float16', 4: 'float32', 8: 'float64' } as const)[size];
    // Narrow tiles, wide ones, several strips of them.
    const shapes = [
      [131, 45],
      [131, 77],
      [1037, 270],
    ];
    for (const [rows, columns] of shapes) {
      const numbers = Float32Array.from({ length: rows * columns }, (_, i) => i % 251);
      const x = make(wasm, dtype, [rows, columns], numbers);
      const out = empty(wasm, dtype, [columns, rows]);
      wasm.kernels.pointwise(identity(dtype), [], [{ ...x, shape: [columns, rows], strides: [1, columns] }], [out]);
      const wanted = Array.from(numbers, (_, at) => numbers[(at % rows) * columns + Math.floor(at / rows)]);
      expect(Array.from(values(wasm, out))).toEqual(wanted);
    }
  });

  it('transposed inputs of a program, and transposed outputs, give what contiguous ones do', () => {
    const shape = [3, 90, 70];
    const [x, y] = [make(wasm, f, shape, randoms(1, sizeOf(shape))), make(wasm, f, [3, 70, 90], randoms(2, sizeOf(shape)))];
    const yt = { ...y, shape, strides: [6300, 1, 90] };
    const out = empty(wasm, f, [3, 70, 90]);
    const outT = { ...out, shape, strides: [6300, 1, 90] };
    wasm.kernels.pointwise(single('add', [f, f], f), [], [x, yt], [outT]);
    const [a, b] = [values(wasm, x), values(wasm, yt)];
    expect(values(wasm, outT)).toEqual(a.map((v, i) => Math.fround(v + b[i])));
  });
});

describe('dtypes', () => {
  it.each(['float32', 'float64', 'float16', 'bfloat16', 'int32', 'uint8', 'bool'] as const)(
    '%s goes through registers unchanged, whatever the length',
    (dtype) => {
      for (const n of [1, 2, 3, 4, 5, 15, 16, 17, 33]) {
        const list = Array.from({ length: n }, (_, i) =>
          dtype === 'bool' ? i % 2 : dtype === 'uint8' ? i * 7 : (i - 5) * (dtype === 'int32' ? 1000 : 0.5),
        );
        const out = empty(wasm, dtype, [n]);
        wasm.kernels.pointwise(identity(dtype), [], [make(wasm, dtype, [n], list)], [out]);
        expect(values(wasm, out)).toEqual(list);
      }
    },
  );

  it('all 65,536 float16 patterns round as the reference has it, there and back', () => {
    const n = 65536;
    const bits = wasm.allocate('float16', n);
    wasm.write(bits, 0, new Uint8Array(Uint16Array.from({ length: n }, (_, i) => i).buffer));
    const x: WasmView = { buffer: bits, dtype: 'float16', shape: [n], strides: [1], offset: 0 };
    const wide = empty(wasm, f, [n]);
    wasm.kernels.pointwise(
      makeProgram({ inputs: ['float16'], scalars: [], instructions: [], outputs: [{ register: 0, dtype: f }] }),
      [],
      [x],
      [wide],
    );
    const back = empty(wasm, 'float16', [n]);
    wasm.kernels.pointwise(
      makeProgram({ inputs: [f], scalars: [], instructions: [], outputs: [{ register: 0, dtype: 'float16' }] }),
      [],
      [wide],
      [back],
    );
    expect(values(wasm, wide)).toEqual(values(wasm, x));
    expect(values(wasm, back)).toEqual(values(wasm, x));
    const between = values(wasm, wide).map((v, i) => Math.fround(v * (1 + (i % 7) * 1e-4)));
    const rounded = empty(wasm, f, [n]);
    wasm.kernels.pointwise(single('toFloat16', [f], f), [], [make(wasm, f, [n], between)], [rounded]);
    expect(values(wasm, rounded)).toEqual(between.map((v) => scalarFunctions.roundToFloat16(v)));
  });
});

describe('programs', () => {
  it('take scalars at run time, write several outputs, and may write to what they read', () => {
    const program = makeProgram({
      inputs: [f, f],
      scalars: [f, 'int32', 'bool', 'float64'],
      instructions: [
        { op: 'mul', dtype: f, args: [0, 2] },
        { op: 'cast', dtype: f, args: [3] },
        { op: 'add', dtype: f, args: [6, 7] },
        { op: 'where', dtype: f, args: [4, 8, 1] },
        { op: 'cast', dtype: 'float64', args: [9] },
        { op: 'add', dtype: 'float64', args: [10, 5] },
      ],
      outputs: [
        { register: 9, dtype: f },
        { register: 11, dtype: 'float64' },
      ],
    });
    for (const [truth, n] of [
      [1, 37],
      [0, 5],
    ]) {
      const [a, b] = [randoms(3, n), randoms(4, n)];
      const x = make(wasm, f, [n], a);
      const y = make(wasm, f, [n], b);
      const wide = empty(wasm, 'float64', [n]);
      wasm.kernels.pointwise(program, [1.5, -3, truth, 0.1], [x, y], [x, wide]);
      const expected = Array.from(a, (v, i) => (truth ? Math.fround(Math.fround(v * 1.5) - 3) : b[i]));
      expect(values(wasm, x)).toEqual(expected);
      expect(values(wasm, wide)).toEqual(expected.map((v) => v + 0.1));
    }
  });

  it('read the index along any dim', () => {
    const shape = [3, 5, 7];
    for (const dim of [0, 1, 2]) {
      const program = makeProgram({
        inputs: [],
        scalars: [],
        instructions: [{ op: 'index', dtype: 'int32', args: [], dim }],
        outputs: [{ register: 0, dtype: 'int32' }],
      });
      const out = empty(wasm, 'int32', shape);
      wasm.kernels.pointwise(program, [], [], [out]);
      const step = contiguous(shape)[dim];
      expect(values(wasm, out)).toEqual(Array.from({ length: 105 }, (_, i) => Math.floor(i / step) % shape[dim]));
    }
  });

  it('give Philox bits as everywhere', () => {
    const n = 50;
    const counters = Array.from({ length: n }, (_, i) => i * 99991 - 12345678);
    const list = (x: number): number[] => new Array<number>(n).fill(x);
    const out = empty(wasm, 'int32', [n]);
    const views = [counters, list(123456789), list(-987654321)].map((data) => make(wasm, 'int32', [n], data));
    wasm.kernels.pointwise(single('philox', ['int32', 'int32', 'int32'], 'int32'), [], views, [out]);
    expect(values(wasm, out)).toEqual(counters.map((c) => scalarFunctions.philox(c, 123456789, -987654321)));
  });

  it('have the same bits fused as step by step', () => {
    const n = 1003;
    const x = make(wasm, f, [n], randoms(9, n, -3, 3));
    const fused = makeProgram({
      inputs: [f],
      scalars: [f],
      instructions: [
        { op: 'mul', dtype: f, args: [0, 1] },
        { op: 'exp', dtype: f, args: [2] },
        { op: 'add', dtype: f, args: [3, 0] },
        { op: 'tanh', dtype: f, args: [4] },
      ],
      outputs: [{ register: 5, dtype: f }],
    });
    const out = empty(wasm, f, [n]);
    wasm.kernels.pointwise(fused, [0.7], [x], [out]);
    const [a, b, c, d] = Array.from({ length: 4 }, () => empty(wasm, f, [n]));
    const scalar = makeProgram({
      inputs: [f],
      scalars: [f],
      instructions: [{ op: 'mul', dtype: f, args: [0, 1] }],
      outputs: [{ register: 2, dtype: f }],
    });
    wasm.kernels.pointwise(scalar, [0.7], [x], [a]);
    wasm.kernels.pointwise(single('exp', [f], f), [], [a], [b]);
    wasm.kernels.pointwise(single('add', [f, f], f), [], [b, x], [c]);
    wasm.kernels.pointwise(single('tanh', [f], f), [], [c], [d]);
    expect(values(wasm, out)).toEqual(values(wasm, d));
  });
});
