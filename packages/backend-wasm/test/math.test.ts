/**
 * The functions that WebAssembly lacks, against their references in float64: over bit patterns from all of float32 (and magnitudes from all of
 * float64), over the range where people use them, and near 0. The bounds are those that the sources state.
 */
import { type Opcode, OPCODES } from '@tessera/core';
import { describe, expect, it } from 'vitest';
import { WasmBackend } from '../src/index.js';
import { empty, make, single, values } from './views.js';

const COUNT = 30_000;
/** Units in the last place, by dtype. What computes float32 in float64 is right but for halves that rounding cannot tell. */
const BOUNDS: { readonly [O in Opcode]?: readonly [float32: number, float64: number] } = {
  exp: [1.5, 2],
  exp2: [2, 2],
  expm1: [2, 3],
  log: [1, 2],
  log2: [2, 3],
  log10: [2, 3],
  log1p: [3, 2],
  tanh: [4, 5],
  erf: [7, 24], // the reference itself is good to 1e-15
  erfc: [1, 64],
  sin: [1, 3],
  cos: [1, 3],
  tan: [1, 4],
  asin: [1, 3],
  acos: [1, 3],
  atan: [1, 2],
  atan2: [1, 3],
  sinh: [1, 4],
  cosh: [1, 4],
  asinh: [1, 4],
  acosh: [1, 4],
  atanh: [1, 4],
  erfinv: [1, 64],
  pow: [1, 2000],
  fmod: [0, 0],
  sqrt: [0.5, 0.5],
};
/** Near their zeros the references lose the bits that they would be compared by: an absolute bound. */
const ABSOLUTE: { readonly [O in Opcode]?: number } = { lgamma: 1e-12, digamma: 1e-12 };

let state = 1;
const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
const unit = (): number => random() / 2 ** 32 - 0.5;

function float32s(): Float32Array {
  const x = new Float32Array(COUNT);
  const bits = new Uint32Array(x.buffer);
  for (let i = 0; i < COUNT; i++) {
    if (i % 3 === 0) bits[i] = random() ^ (random() >>> 16);
    else x[i] = unit() * (i % 3 === 1 ? 40 : 4);
  }
  x.set([
    0,
    -0,
    1,
    -1,
    Infinity,
    -Infinity,
    NaN,
    2 ** -149,
    -(2 ** -149),
    2 ** -126,
    3.4028234663852886e38,
    88.72283,
    88.7229,
    -87.3366,
    -103.98,
    127.99999,
    128,
    -125.99999,
    -126,
    -126.5,
  ]);
  // Not-a-numbers of either sign, with bits that shifts and additions of exponents could turn into numbers.
  bits.set([0xffc00000, 0x7fc00001, 0xffffffff, 0x7fc000ff], 100);
  return x;
}

function float64s(): Float64Array {
  const x = Float64Array.from({ length: COUNT }, (_, i) =>
    i % 3 === 0 ? unit() * 2 * 10 ** ((random() % 40) - 20) : unit() * (i % 3 === 1 ? 40 : 4) + random() * 2 ** -62,
  );
  x.set([0, -0, 1, -1, Infinity, -Infinity, NaN, 5e-324, 2 ** -1022, 1.7976931348623157e308, 709.78, 709.79, -745.2]);
  return x;
}

describe.each([
  ['float32', 23, 2 ** -126],
  ['float64', 52, 2 ** -1022],
] as const)('%s', (dtype, digits, least) => {
  const wasm = new WasmBackend({ threads: 1, deterministic: true });
  for (const [name, { arity, reference }] of Object.entries(OPCODES)) {
    const op = name as Opcode;
    const bound = BOUNDS[op]?.[dtype === 'float32' ? 0 : 1];
    if (bound === undefined && ABSOLUTE[op] === undefined) continue;
    it(`${op}`, () => {
      const args = Array.from({ length: arity }, () => (dtype === 'float32' ? float32s() : float64s()));
      const out = empty(wasm, dtype, [COUNT]);
      wasm.kernels.pointwise(
        single(op, new Array<typeof dtype>(arity).fill(dtype), dtype),
        [],
        args.map((x) => make(wasm, dtype, [COUNT], x)),
        [out],
      );
      const bytes = wasm.readSync(out.buffer, 0, COUNT).buffer;
      const got = dtype === 'float32' ? new Float32Array(bytes) : new Float64Array(bytes);
      let worst = 0;
      let where = '';
      for (let i = 0; i < COUNT; i++) {
        const [a, b = 0] = args.map((x) => x[i]);
        const exact = reference(a, b, 0);
        const rounded = dtype === 'float32' ? Math.fround(exact) : exact;
        if (Object.is(got[i], rounded) || (got[i] === 0 && rounded === 0)) continue;
        // Below the least normal number results may be flushed.
        if (Math.abs(rounded) <= least && Math.abs(got[i]) <= least) continue;
        const ulp = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(exact), least))) - digits);
        let error = Math.abs(got[i] - exact);
        if (bound !== undefined) error /= ulp;
        else error = dtype === 'float32' ? error / ulp : error / Math.max(1, Math.abs(exact));
        if (!(error <= worst)) {
          worst = error;
          where = `${op}(${[a, b].slice(0, arity).join(', ')}) = ${got[i]}, not ${rounded}`;
        }
      }
      expect(worst, where).toBeLessThanOrEqual(bound ?? (dtype === 'float32' ? 1 : ABSOLUTE[op]!));
    });
  }
});

it('erf is never beyond 1, and 1 far out: GELU of the most negative numbers is 0', () => {
  const backend = new WasmBackend();
  const xs = [...Array.from({ length: 3000 }, (_, i) => -3 - i / 1000), -1e10, -3.4e38, -Infinity];
  const out = empty(backend, 'float32', [xs.length]);
  const view = make(backend, 'float32', [xs.length], xs);
  backend.kernels.pointwise(single('erf', ['float32'], 'float32'), [], [view], [out]);
  const got = values(backend, out);
  expect(Math.min(...got)).toBe(-1);
  expect(new Set(got.slice(1000))).toEqual(new Set([-1]));
});
