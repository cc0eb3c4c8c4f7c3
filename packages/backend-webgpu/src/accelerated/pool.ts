/** @file Pooling and its gradients: an invocation for each element of the result. Gradients gather from the windows that an input lies in. */
import type { AcceleratedKernels, Window } from '@tessera/core/backend';
import { type Context, groupsFor, WORKGROUP } from '../kernels/context.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { storedAs } from '../wgsl/elements.js';
import { kernelSource, Parameters, type Stored } from '../wgsl/source.js';
import { type GpuView, sizeOf } from '../wgsl/views.js';
import {
  imageParameters,
  named,
  packImage,
  packWindow,
  sourceStep,
  tapLoops,
  targetStep,
  unravel,
  type WindowDim,
  windowParameters,
} from './spatial.js';

type Kernels = AcceleratedKernels<WebGpuBuffer>;

const takes = (...views: readonly GpuView[]): boolean =>
  views.every(({ dtype, shape }) => dtype === 'float32' && shape.length >= 3 && shape.length <= 5);

/** The row-major index of input coordinates in their plane. */
const flat = (name: string, sizes: readonly string[]): string =>
  sizes.slice(1).reduce((index, size, d) => `(${index} * ${size} + ${name}${d + 1})`, `${name}0`);

/** A pooling kernel: an invocation for each element of one of its views. */
interface PoolKernel {
  readonly label: string;
  readonly reads: readonly GpuView[];
  readonly writes: readonly GpuView[];
  /** Whose elements: its place among reads and writes, and what the coordinates are called. */
  readonly of: number;
  readonly name: string;
  readonly kernel: readonly number[];
  readonly window: Window;
  /** Of averages. */
  readonly divisor?: Divisor;
}

type Divisor = 'padded' | 'valid' | number;

/** What a kernel's text is made of. */
interface PoolText {
  /** The element of view `i` at the invocation's n and c and the coordinates `${name}0`, …. */
  readonly at: (i: number, name: string) => string;
  /** Spatial sizes of view `i`. */
  readonly sizes: (i: number) => readonly string[];
  readonly windows: readonly WindowDim[];
  /** What the sum over the window at `${name}0`, … of the input (view `i`) is divided by. */
  readonly divisor: (i: number, name: string) => string;
}

/** Launches a kernel whose text depends on its label, the number of dims and views alone. */
function launchPool({ launcher }: Context, pool: PoolKernel, body: (text: PoolText) => string): void {
  const { label, reads, writes, of, name, kernel, window, divisor } = pool;
  const views = [...reads, ...writes];
  const { shape } = views[of];
  const dims = kernel.length;
  const pipeline = launcher.pipeline(`${label} ${dims} ${views.length}`, () => {
    const p = new Parameters();
    const count = p.u();
    const channels = p.i();
    const windows = windowParameters(p, dims);
    const images = views.map(() => imageParameters(p, dims));
    const [mode, fixed] = divisor === undefined ? ['', ''] : [p.u(), p.f()];
    const stored = (list: readonly GpuView[]): Stored[] => list.map(({ dtype }) => storedAs(dtype));
    return kernelSource({
      label,
      reads: stored(reads),
      writes: stored(writes),
      workgroup: WORKGROUP,
      head: divisor === undefined ? '' : EXTENT,
      body: `if (id >= ${count}) { return; }
${unravel('id', images[of].sizes, name)}
let n = i32(u32(${name}) / u32(${channels}));
let c = ${name} - n * ${channels};
${body({
  at: (i, coordinates) => `b${i}[${images[i].at('n', 'c', named(coordinates, dims))}]`,
  sizes: (i) => images[i].sizes,
  windows,
  divisor: (i, coordinates) => divisorText(coordinates, windows, images[i].sizes, mode, fixed),
})}`,
    });
  });
  const n = sizeOf(shape);
  launcher.begin();
  for (const view of views) launcher.bind(view.buffer);
  launcher.word(n).word(shape[1]);
  packWindow(launcher, kernel, window);
  for (const view of views) packImage(launcher, view);
  if (divisor !== undefined)
    launcher.word(divisor === 'padded' ? 0 : divisor === 'valid' ? 1 : 2).float(typeof divisor === 'number' ? divisor : 1);
  launcher.launch(pipeline, groupsFor(n));
}

export function createPool(context: Context): Pick<Kernels, 'maxPool' | 'maxPoolGrad' | 'avgPool' | 'avgPoolGrad'> {
  return {
    maxPool(input, out, indices, kernel, window) {
      if (!takes(input, out)) return false;
      const writes = indices === null ? [out] : [out, indices];
      launchPool(
        context,
        { label: 'maxPool', reads: [input], writes, of: 1, name: 'o', kernel, window },
        ({ at, sizes, windows }) => `var best = 0.0;
var place = -1;
${tapLoops(
  windows,
  sourceStep('o', windows, sizes(0), 's'),
  `let v = ${at(0, 's')};
if (place < 0 || (!k_isnan(best) && (k_isnan(v) || v > best))) { best = v; place = ${flat('s', sizes(0))}; }`,
)}
if (place < 0) { best = k_neg(k_inf()); place = 0; }
${at(1, 'o')} = best;
${indices === null ? '' : `${at(2, 'o')} = place;`}`,
      );
      return true;
    },

    maxPoolGrad(gradOut, indices, gradInput, kernel, window) {
      if (!takes(gradOut, gradInput)) return false;
      launchPool(
        context,
        { label: 'maxPoolGrad', reads: [gradOut, indices], writes: [gradInput], of: 2, name: 'y', kernel, window },
        ({ at, sizes, windows }) => `let place = ${flat('y', sizes(2))};
var sum = 0.0;
${tapLoops(windows, targetStep('y', windows, sizes(0), 'o'), `if (${at(1, 'o')} == place) { sum += ${at(0, 'o')}; }`)}
${at(2, 'y')} = sum;`,
      );
      return true;
    },

    avgPool(input, out, kernel, window, divisor) {
      if (!takes(input, out)) return false;
      launchPool(
        context,
        { label: 'avgPool', reads: [input], writes: [out], of: 1, name: 'o', kernel, window, divisor },
        (text) => `var sum = 0.0;
${tapLoops(text.windows, sourceStep('o', text.windows, text.sizes(0), 's'), `sum += ${text.at(0, 's')};`)}
${text.at(1, 'o')} = sum / ${text.divisor(0, 'o')};`,
      );
      return true;
    },

    avgPoolGrad(gradOut, gradInput, kernel, window, divisor) {
      if (!takes(gradOut, gradInput)) return false;
      launchPool(
        context,
        { label: 'avgPoolGrad', reads: [gradOut], writes: [gradInput], of: 1, name: 'y', kernel, window, divisor },
        (text) => `var sum = 0.0;
${tapLoops(text.windows, targetStep('y', text.windows, text.sizes(0), 'o'), `sum += ${text.at(0, 'o')} / ${text.divisor(1, 'o')};`)}
${text.at(1, 'y')} = sum;`,
      );
      return true;
    },
  };
}

/** How many elements of a window at `o` lie inside the padded input (mode 0) or the input (mode 1), along one dim. */
const EXTENT = `fn extent(o: i32, size: i32, kernel: i32, stride: i32, padding: i32, dilation: i32, mode: u32) -> f32 {
  let start = o * stride - padding;
  if (mode == 0u) { return f32(min(kernel, (size + padding - start + dilation - 1) / dilation)); }
  let skipped = select(0, (-start + dilation - 1) / dilation, start < 0);
  let end = min(kernel, (size - start + dilation - 1) / dilation);
  return f32(max(end - skipped, 0));
}`;

function divisorText(name: string, windows: readonly WindowDim[], sizes: readonly string[], mode: string, fixed: string): string {
  const extents = windows.map(
    ({ kernel, stride, padding, dilation }, d) =>
      `extent(${name}${d}, ${sizes[d]}, ${kernel}, ${stride}, ${padding}, ${dilation}, ${mode})`,
  );
  return `select(${extents.join(' * ')}, ${fixed}, ${mode} == 2u)`;
}
