/** @file The accelerated convolution and its gradients against sums on the host. */
import type { Suite } from '../suite.js';
import { accelerated, type AcceleratedTest } from './accelerated.js';
import { checkArray } from './check-array.js';
import { type HostArray, hostArray, placeOf, randomArray } from './host.js';
import { CONTIGUOUS, OFFSET, TRANSPOSED } from './layouts.js';
import { eachTap, type Sliding, slidings, slidOver } from './windows.js';

/** Channels in, channels out, groups. */
const CHANNELS = [
  [3, 4, 1],
  [4, 6, 2],
  [4, 4, 4],
] as const;
const LAYOUTS = [CONTIGUOUS, OFFSET, TRANSPOSED];
const SPATIAL = [9, 7, 6];
const BATCH = 2;
const ALLOWED = (): number => 1e-4;

interface Problem extends Sliding {
  readonly groups: number;
  readonly input: HostArray;
  readonly weight: HostArray;
  readonly bias: HostArray;
  readonly gradOut: HostArray;
}

function problem(dims: number, sliding: Sliding, [channels, filters, groups]: readonly [number, number, number]): Problem {
  const spatial = SPATIAL.slice(0, dims);
  const out = slidOver(spatial, sliding);
  return {
    ...sliding,
    groups,
    input: randomArray('float32', [BATCH, channels, ...spatial], 61),
    weight: randomArray('float32', [filters, channels / groups, ...sliding.kernel], 62),
    bias: randomArray('float32', [filters], 63),
    gradOut: randomArray('float32', [BATCH, filters, ...out], 64),
  };
}

/** Calls `fn` with the places, in each array, of every product of the convolution. */
function eachProduct({ input, weight, gradOut, groups, ...sliding }: Problem, fn: (out: number, x: number, w: number) => void): void {
  const perGroup = weight.shape[1];
  const filtersPerGroup = weight.shape[0] / groups;
  eachTap(input.shape.slice(2), sliding, (out, tap, source) => {
    if (source === null) return;
    for (let n = 0; n < BATCH; n++) {
      for (let o = 0; o < weight.shape[0]; o++) {
        for (let c = 0; c < perGroup; c++) {
          const channel = Math.floor(o / filtersPerGroup) * perGroup + c;
          fn(flat([n, o, ...out], gradOut.shape), flat([n, channel, ...source], input.shape), flat([o, c, ...tap], weight.shape));
        }
      }
    }
  });
}

const flat = (index: readonly number[], shape: readonly number[]): number => placeOf(index, shape);

/** The sums of products that fall on each element of a shape. */
function sums(shape: readonly number[], add: (into: number[]) => void): HostArray {
  const into = new Array<number>(shape.reduce((n, size) => n * size, 1)).fill(0);
  add(into);
  return hostArray('float32', shape, (_, place) => into[place]);
}

export function convolutionSuites(): Suite[] {
  return [
    accelerated('convolution', () =>
      variants<'convolution'>(({ p, bias, layout }) => async (bench, kernel) => {
        const out = bench.output('float32', p.gradOut.shape, layout);
        if (!kernel(bench.input(p.input, layout), bench.input(p.weight), bias ? bench.input(p.bias) : null, out, p.window, p.groups))
          return false;
        const outPlane = p.gradOut.shape.slice(2).reduce((n, size) => n * size, 1);
        const expected = sums(p.gradOut.shape, (into) => {
          if (bias) into.forEach((_, place) => (into[place] = p.bias.data[Math.floor(place / outPlane) % p.bias.shape[0]]));
          eachProduct(p, (o, x, w) => (into[o] += p.input.data[x] * p.weight.data[w]));
        });
        checkArray('convolution', await bench.result(out), expected, ALLOWED);
        return true;
      }),
    ),
    accelerated('convolutionInputGrad', () =>
      variants<'convolutionInputGrad'>(({ p, layout }) => async (bench, kernel) => {
        const out = bench.output('float32', p.input.shape, layout);
        if (!kernel(bench.input(p.gradOut, layout), bench.input(p.weight), out, p.window, p.groups)) return false;
        checkArray(
          'gradient of the input',
          await bench.result(out),
          sums(p.input.shape, (into) => eachProduct(p, (o, x, w) => (into[x] += p.gradOut.data[o] * p.weight.data[w]))),
          ALLOWED,
        );
        return true;
      }),
    ),
    accelerated('convolutionWeightGrad', () =>
      variants<'convolutionWeightGrad'>(({ p, layout }) => async (bench, kernel) => {
        const out = bench.output('float32', p.weight.shape, layout);
        if (!kernel(bench.input(p.input, layout), bench.input(p.gradOut), out, p.window, p.groups)) return false;
        checkArray(
          'gradient of the weight',
          await bench.result(out),
          sums(p.weight.shape, (into) => eachProduct(p, (o, x, w) => (into[w] += p.gradOut.data[o] * p.input.data[x]))),
          ALLOWED,
        );
        return true;
      }),
    ),
  ];
}

interface Variant {
  readonly p: Problem;
  readonly bias: boolean;
  readonly layout: (typeof LAYOUTS)[number];
}

type ConvolutionKernel = 'convolution' | 'convolutionInputGrad' | 'convolutionWeightGrad';

/** The tests of one kernel: all windows and groups, then layouts. */
function* variants<K extends ConvolutionKernel>(
  test: (variant: Variant) => AcceleratedTest<K>,
): Generator<readonly [string, AcceleratedTest<K>]> {
  for (const dims of [1, 2, 3]) {
    for (const [window, sliding] of slidings(dims)) {
      for (const channels of CHANNELS)
        yield [
          `${dims}d/${window}/channels-${channels.join('-')}`,
          test({ p: problem(dims, sliding, channels), bias: channels[2] !== 2, layout: CONTIGUOUS }),
        ];
    }
    for (const layout of LAYOUTS)
      yield [`${dims}d/${layout.name}`, test({ p: problem(dims, slidings(dims)[4][1], CHANNELS[1]), bias: true, layout })];
  }
}
