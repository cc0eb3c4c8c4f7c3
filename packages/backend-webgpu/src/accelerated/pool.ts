/** @file Pooling and its gradients: an invocation for each element of the result. Gradients gather from the windows that an input lies in. */
import type { AcceleratedKernels } from '@tessera/core/backend';
import { type Context, groupsFor, WORKGROUP } from '../kernels/context.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import { kernelSource, Parameters } from '../wgsl/source.js';
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

/** Statements: n, c and coordinates `${name}0`, … of invocation `id` over the image's elements. */
const elementText = (count: string, channels: string, sizes: readonly string[], name: string): string => `if (id >= ${count}) { return; }
${unravel('id', sizes, name)}
let n = i32(u32(${name}) / u32(${channels}));
let c = ${name} - n * ${channels};`;

export function createPool(context: Context): Pick<Kernels, 'maxPool' | 'maxPoolGrad' | 'avgPool' | 'avgPoolGrad'> {
  const { launcher } = context;
  return {
    maxPool(input, out, indices, kernel, window) {
      if (!takes(input, out)) return false;
      const dims = kernel.length;
      const pipeline = launcher.pipeline(`maxPool ${dims} ${indices !== null}`, () => {
        const p = new Parameters();
        const count = p.u();
        const channels = p.i();
        const x = imageParameters(p, dims);
        const y = imageParameters(p, dims);
        const windows = windowParameters(p, dims);
        const places = indices === null ? null : imageParameters(p, dims);
        return kernelSource({
          label: 'maxPool',
          reads: ['f32'],
          writes: indices === null ? ['f32'] : ['f32', 'i32'],
          workgroup: WORKGROUP,
          body: `${elementText(count, channels, y.sizes, 'o')}
var best = 0.0;
var place = -1;
${tapLoops(
  windows,
  sourceStep('o', windows, x.sizes, 's'),
  `let v = b0[${x.at('n', 'c', named('s', dims))}];
if (place < 0 || (!k_isnan(best) && (k_isnan(v) || v > best))) { best = v; place = ${flat('s', x.sizes)}; }`,
)}
if (place < 0) { best = k_neg(k_inf()); place = 0; }
b1[${y.at('n', 'c', named('o', dims))}] = best;
${places === null ? '' : `b2[${places.at('n', 'c', named('o', dims))}] = place;`}`,
        });
      });
      const n = sizeOf(out.shape);
      launcher.begin().bind(input.buffer).bind(out.buffer);
      if (indices !== null) launcher.bind(indices.buffer);
      launcher.word(n).word(out.shape[1]);
      packImage(launcher, input);
      packImage(launcher, out);
      packWindow(launcher, kernel, window);
      if (indices !== null) packImage(launcher, indices);
      launcher.launch(pipeline, groupsFor(n));
      return true;
    },

    maxPoolGrad(gradOut, indices, gradInput, kernel, window) {
      if (!takes(gradOut, gradInput)) return false;
      const dims = kernel.length;
      const pipeline = launcher.pipeline(`maxPoolGrad ${dims}`, () => {
        const p = new Parameters();
        const count = p.u();
        const channels = p.i();
        const x = imageParameters(p, dims);
        const g = imageParameters(p, dims);
        const places = imageParameters(p, dims);
        const windows = windowParameters(p, dims);
        return kernelSource({
          label: 'maxPoolGrad',
          reads: ['f32', 'i32'],
          writes: ['f32'],
          workgroup: WORKGROUP,
          body: `${elementText(count, channels, x.sizes, 'y')}
let place = ${flat('y', x.sizes)};
var sum = 0.0;
${tapLoops(
  windows,
  targetStep('y', windows, g.sizes, 'o'),
  `if (b1[${places.at('n', 'c', named('o', dims))}] == place) { sum += b0[${g.at('n', 'c', named('o', dims))}]; }`,
)}
b2[${x.at('n', 'c', named('y', dims))}] = sum;`,
        });
      });
      const n = sizeOf(gradInput.shape);
      launcher.begin().bind(gradOut.buffer).bind(indices.buffer).bind(gradInput.buffer);
      launcher.word(n).word(gradInput.shape[1]);
      packImage(launcher, gradInput);
      packImage(launcher, gradOut);
      packImage(launcher, indices);
      packWindow(launcher, kernel, window);
      launcher.launch(pipeline, groupsFor(n));
      return true;
    },

    avgPool(input, out, kernel, window, divisor) {
      if (!takes(input, out)) return false;
      const dims = kernel.length;
      const pipeline = launcher.pipeline(`avgPool ${dims}`, () => {
        const p = new Parameters();
        const count = p.u();
        const channels = p.i();
        const mode = p.u();
        const fixed = p.f();
        const x = imageParameters(p, dims);
        const y = imageParameters(p, dims);
        const windows = windowParameters(p, dims);
        return kernelSource({
          label: 'avgPool',
          reads: ['f32'],
          writes: ['f32'],
          workgroup: WORKGROUP,
          head: extentFunction(),
          body: `${elementText(count, channels, y.sizes, 'o')}
var sum = 0.0;
${tapLoops(windows, sourceStep('o', windows, x.sizes, 's'), `sum += b0[${x.at('n', 'c', named('s', dims))}];`)}
b1[${y.at('n', 'c', named('o', dims))}] = sum / ${divisorText('o', windows, x.sizes, mode, fixed)};`,
        });
      });
      const n = sizeOf(out.shape);
      launcher.begin().bind(input.buffer).bind(out.buffer).word(n).word(out.shape[1]);
      packDivisor(context, divisor);
      packImage(launcher, input);
      packImage(launcher, out);
      packWindow(launcher, kernel, window);
      launcher.launch(pipeline, groupsFor(n));
      return true;
    },

    avgPoolGrad(gradOut, gradInput, kernel, window, divisor) {
      if (!takes(gradOut, gradInput)) return false;
      const dims = kernel.length;
      const pipeline = launcher.pipeline(`avgPoolGrad ${dims}`, () => {
        const p = new Parameters();
        const count = p.u();
        const channels = p.i();
        const mode = p.u();
        const fixed = p.f();
        const x = imageParameters(p, dims);
        const g = imageParameters(p, dims);
        const windows = windowParameters(p, dims);
        return kernelSource({
          label: 'avgPoolGrad',
          reads: ['f32'],
          writes: ['f32'],
          workgroup: WORKGROUP,
          head: extentFunction(),
          body: `${elementText(count, channels, x.sizes, 'y')}
var sum = 0.0;
${tapLoops(
  windows,
  targetStep('y', windows, g.sizes, 'o'),
  `sum += b0[${g.at('n', 'c', named('o', dims))}] / ${divisorText('o', windows, x.sizes, mode, fixed)};`,
)}
b1[${x.at('n', 'c', named('y', dims))}] = sum;`,
        });
      });
      const n = sizeOf(gradInput.shape);
      launcher.begin().bind(gradOut.buffer).bind(gradInput.buffer).word(n).word(gradInput.shape[1]);
      packDivisor(context, divisor);
      packImage(launcher, gradInput);
      packImage(launcher, gradOut);
      packWindow(launcher, kernel, window);
      launcher.launch(pipeline, groupsFor(n));
      return true;
    },
  };
}

function packDivisor({ launcher }: Context, divisor: 'padded' | 'valid' | number): void {
  launcher.word(divisor === 'padded' ? 0 : divisor === 'valid' ? 1 : 2).float(typeof divisor === 'number' ? divisor : 1);
}

/** How many elements of a window at `o` lie inside the padded input (mode 0) or the input (mode 1), along one dim. */
function extentFunction(): string {
  return `fn extent(o: i32, size: i32, kernel: i32, stride: i32, padding: i32, dilation: i32, mode: u32) -> f32 {
  let start = o * stride - padding;
  if (mode == 0u) { return f32(min(kernel, (size + padding - start + dilation - 1) / dilation)); }
  let skipped = select(0, (-start + dilation - 1) / dilation, start < 0);
  let end = min(kernel, (size - start + dilation - 1) / dilation);
  return f32(max(end - skipped, 0));
}`;
}

function divisorText(name: string, windows: readonly WindowDim[], sizes: readonly string[], mode: string, fixed: string): string {
  const extents = windows.map(
    ({ kernel, stride, padding, dilation }, d) =>
      `extent(${name}${d}, ${sizes[d]}, ${kernel}, ${stride}, ${padding}, ${dilation}, ${mode})`,
  );
  return `select(${extents.join(' * ')}, ${fixed}, ${mode} == 2u)`;
}
