/** @file The accelerated poolings and their gradients against walks over windows on the host. */
import type { Suite } from '../suite.js';
import { accelerated, type AcceleratedTest } from './accelerated.js';
import { checkArray } from './check-array.js';
import { type HostArray, placeOf, randomArray } from './host.js';
import { CONTIGUOUS, OFFSET, TRANSPOSED } from './layouts.js';
import { eachTap, type Sliding, slidings, slidOver } from './windows.js';

const LAYOUTS = [CONTIGUOUS, OFFSET, TRANSPOSED];
const SPATIAL = [9, 7, 6];
const ALLOWED = (): number => 1e-5;

interface PoolProblem extends Sliding {
  readonly input: HostArray;
  readonly gradOut: HostArray;
  readonly layout: (typeof LAYOUTS)[number];
}

/** All windows in one to three dims, and layouts. Padding is at most half a window, as core sees to. */
function* pools<T>(test: (problem: PoolProblem) => T): Generator<readonly [string, T]> {
  for (const dims of [1, 2, 3]) {
    const input = randomArray('float32', [2, 3, ...SPATIAL.slice(0, dims)], 71);
    const windows = slidings(dims).filter(([, { kernel, window }]) => window.padding[0] * 2 <= kernel[0]);
    for (const [name, sliding] of windows) yield [`${dims}d/${name}`, test(pool(input, sliding, CONTIGUOUS))];
    for (const layout of LAYOUTS) yield [`${dims}d/${layout.name}`, test(pool(input, windows.at(-1)![1], layout))];
  }
}

function pool(input: HostArray, sliding: Sliding, layout: (typeof LAYOUTS)[number]): PoolProblem {
  const gradOut = randomArray('float32', [...input.shape.slice(0, 2), ...slidOver(input.shape.slice(2), sliding)], 72);
  return { ...sliding, input, gradOut, layout };
}

/** The largest of each window, and where it lies in its plane. */
function maxima({ input, gradOut, ...sliding }: PoolProblem): { values: HostArray; places: HostArray } {
  const spatial = input.shape.slice(2);
  const values = new Array<number>(gradOut.data.length).fill(-Infinity);
  const places = new Array<number>(gradOut.data.length).fill(-1);
  for (let n = 0; n < input.shape[0]; n++) {
    for (let c = 0; c < input.shape[1]; c++) {
      eachTap(spatial, sliding, (out, _, source) => {
        if (source === null) return;
        const at = placeOf([n, c, ...out], gradOut.shape);
        const x = input.data[placeOf([n, c, ...source], input.shape)];
        const held = values[at];
        if (places[at] >= 0 && !(held === held && (x !== x || x > held))) return;
        values[at] = x;
        places[at] = placeOf(source, spatial);
      });
    }
  }
  return { values: { ...gradOut, data: values }, places: { ...gradOut, dtype: 'int32', data: places } };
}

export function poolSuites(): Suite[] {
  return [
    accelerated('maxPool', () =>
      pools((p): AcceleratedTest<'maxPool'> => async (bench, kernel) => {
        const out = bench.output('float32', p.gradOut.shape, p.layout);
        const indices = bench.output('int32', p.gradOut.shape);
        if (!kernel(bench.input(p.input, p.layout), out, indices, p.kernel, p.window)) return false;
        const expected = maxima(p);
        checkArray('maxima', await bench.result(out), expected.values);
        checkArray('places', await bench.result(indices), expected.places);
        return true;
      }),
    ),
    accelerated('maxPoolGrad', () =>
      pools((p): AcceleratedTest<'maxPoolGrad'> => async (bench, kernel) => {
        const { places } = maxima(p);
        const out = bench.output('float32', p.input.shape, p.layout);
        if (!kernel(bench.input(p.gradOut, p.layout), bench.input(places), out, p.kernel, p.window)) return false;
        const plane = p.input.shape.slice(2).reduce((n, size) => n * size, 1);
        const outPlane = p.gradOut.shape.slice(2).reduce((n, size) => n * size, 1);
        const grad = new Array<number>(p.input.data.length).fill(0);
        places.data.forEach((place, i) => (grad[Math.floor(i / outPlane) * plane + place] += p.gradOut.data[i]));
        checkArray('gradient', await bench.result(out), { ...p.input, data: grad }, ALLOWED);
        return true;
      }),
    ),
    accelerated('avgPool', () =>
      pools((p): AcceleratedTest<'avgPool'> => async (bench, kernel) => {
        for (const divisor of ['padded', 'valid', 5] as const) {
          const out = bench.output('float32', p.gradOut.shape, p.layout);
          if (!kernel(bench.input(p.input, p.layout), out, p.kernel, p.window, divisor)) return false;
          const weights = averages(p, divisor);
          const mean = new Array<number>(p.gradOut.data.length).fill(0);
          weights.forEach(([o, x, w]) => (mean[o] += p.input.data[x] * w));
          checkArray(`divisor ${divisor}`, await bench.result(out), { ...p.gradOut, data: mean }, ALLOWED);
        }
        return true;
      }),
    ),
    accelerated('avgPoolGrad', () =>
      pools((p): AcceleratedTest<'avgPoolGrad'> => async (bench, kernel) => {
        for (const divisor of ['padded', 'valid', 5] as const) {
          const out = bench.output('float32', p.input.shape, p.layout);
          if (!kernel(bench.input(p.gradOut, p.layout), out, p.kernel, p.window, divisor)) return false;
          const grad = new Array<number>(p.input.data.length).fill(0);
          averages(p, divisor).forEach(([o, x, w]) => (grad[x] += p.gradOut.data[o] * w));
          checkArray(`divisor ${divisor}`, await bench.result(out), { ...p.input, data: grad }, ALLOWED);
        }
        return true;
      }),
    ),
  ];
}

/** Which element of the result takes which of the input, with what weight. */
function averages(
  { input, gradOut, ...sliding }: PoolProblem,
  divisor: 'padded' | 'valid' | number,
): (readonly [out: number, input: number, weight: number])[] {
  const spatial = input.shape.slice(2);
  const counts = new Map<string, number>();
  const { window } = sliding;
  eachTap(spatial, sliding, (out, tap, source) => {
    // Inside the input, or inside the input and its padding.
    const inside =
      divisor === 'valid'
        ? source !== null
        : tap.every((t, d) => out[d] * window.stride[d] + t * window.dilation[d] < spatial[d] + 2 * window.padding[d]);
    counts.set(String(out), (counts.get(String(out)) ?? 0) + Number(inside));
  });
  const weights: (readonly [number, number, number])[] = [];
  for (let n = 0; n < input.shape[0]; n++) {
    for (let c = 0; c < input.shape[1]; c++) {
      eachTap(spatial, sliding, (out, _, source) => {
        if (source === null) return;
        const weight = 1 / (typeof divisor === 'number' ? divisor : counts.get(String(out))!);
        weights.push([placeOf([n, c, ...out], gradOut.shape), placeOf([n, c, ...source], input.shape), weight]);
      });
    }
  }
  return weights;
}
