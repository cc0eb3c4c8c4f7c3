/**
 * @file Convolution and its two gradients as products whose operands are read in place (implicit matrix products, no unrolled windows).
 * With T taps and P positions, for each group: output (O, N·P) = weight (O, C·T) · windows (C·T, N·P); the input's gradient (C, N·Pin) =
 * weightᵀ (C, O·T) · (O·T, N·Pin); the weight's gradient (O, C·T) = gradOut (O, N·P) · windowsᵀ (N·P, C·T).
 */
import type { AcceleratedKernels, Window } from '@tessera/core';
import type { Context } from '../kernels/context.js';
import { launchProduct, type Operand } from '../kernels/product.js';
import type { WebGpuBuffer } from '../memory/webgpu-buffer.js';
import type { Parameters } from '../wgsl/source.js';
import type { GpuView } from '../wgsl/views.js';
import { imageParameters, named, packImage, packWindow, sourceText, targetText, unravel, windowParameters } from './spatial.js';

type Kernels = AcceleratedKernels<WebGpuBuffer>;

const product = (sizes: readonly number[]): number => sizes.reduce((n, size) => n * size, 1);
const spatial = (view: GpuView): readonly number[] => view.shape.slice(2);

/** The weight at (filter, channel, tap). `order`: which of the product's indices is which. */
function weightOperand(name: string, weight: GpuView, groups: number, order: 'filter-channel' | 'channel-filter'): Operand {
  const kernel = spatial(weight);
  const dims = kernel.length;
  const filters = weight.shape[0] / groups;
  return {
    buffers: [weight.buffer],
    stored: ['f32'],
    key: `weight ${order} ${dims}`,
    pack: (launcher) => {
      packImage(launcher, weight);
      launcher.word(filters).word(product(kernel));
    },
    text: (p, [b]) => {
      const image = imageParameters(p, dims);
      const [each, taps] = p.ints(2);
      const [filter, channel] = order === 'filter-channel' ? ['i32(row)', 'q'] : ['q', 'i32(row)'];
      return `fn ${name}(batch: u32, row: u32, k: u32) -> f32 {
let q = i32(k) / ${taps};
${unravel(`i32(k) % ${taps}`, image.sizes, 't')}
return ${b}[${image.at(`(i32(batch) * ${each} + ${filter})`, channel, named('t', dims))}];
}`;
    },
  };
}

/** The element of an image (N, C, …) at a channel of the group and a position, a flat index over n and the spatial dims. */
function imageText(p: Parameters, dims: number): { place: (channel: string) => string; setup: (position: string) => string } {
  const image = imageParameters(p, dims);
  const each = p.i();
  return {
    setup: (position) => unravel(position, image.sizes, 'x'),
    place: (channel) => image.at('x', `(i32(batch) * ${each} + ${channel})`, named('x', dims)),
  };
}

/** Loads at (channel, position). */
function loadImage(name: string, view: GpuView, groups: number): Operand {
  const dims = view.shape.length - 2;
  return {
    buffers: [view.buffer],
    stored: ['f32'],
    key: `image ${dims}`,
    pack: (launcher) => {
      packImage(launcher, view);
      launcher.word(view.shape[1] / groups);
    },
    text: (p, [b]) => {
      const { setup, place } = imageText(p, dims);
      return `fn ${name}(batch: u32, row: u32, k: u32) -> f32 {\n${setup('i32(k)')}\nreturn ${b}[${place('i32(row)')}];\n}`;
    },
  };
}

/** Stores at (channel, position), with a bias for each channel. */
function storeImage(view: GpuView, groups: number, bias: GpuView | null): Operand {
  const dims = view.shape.length - 2;
  return {
    buffers: bias === null ? [view.buffer] : [view.buffer, bias.buffer],
    stored: bias === null ? ['f32'] : ['f32', 'f32'],
    key: `image ${dims} ${bias === null ? '' : 'bias'}`,
    pack: (launcher) => {
      packImage(launcher, view);
      launcher.word(view.shape[1] / groups);
      if (bias !== null) launcher.word(bias.offset).word(bias.strides[0]).word(view.shape[1] / groups);
    },
    text: (p, [b, c]) => {
      const { setup, place } = imageText(p, dims);
      let value = 'value';
      if (bias !== null) {
        const [offset, stride, each] = p.ints(3);
        value = `value + ${c}[u32(${offset} + (i32(batch) * ${each} + i32(row)) * ${stride})]`;
      }
      return `fn store(batch: u32, row: u32, column: u32, value: f32) {\n${setup('i32(column)')}\n${b}[${place('i32(row)')}] = ${value};\n}`;
    },
  };
}

/** The element of `image` under tap t of channel c for position n·p. `swapped`: (k, column) are (position, channel · tap). */
function windowOperand(image: GpuView, positions: readonly number[], kernel: readonly number[], window: Window, groups: number, swapped: boolean): Operand {
  const dims = kernel.length;
  return {
    buffers: [image.buffer],
    stored: ['f32'],
    key: `windows ${dims} ${swapped}`,
    pack: (launcher) => {
      packImage(launcher, image);
      packWindow(launcher, kernel, window);
      launcher.list(positions).word(image.shape[1] / groups);
    },
    text: (p, [b]) => {
      const text = imageParameters(p, dims);
      const windows = windowParameters(p, dims);
      const sizes = p.ints(dims);
      const each = p.i();
      return `fn load_b(batch: u32, k: u32, column: u32) -> f32 {
${unravel(`i32(${swapped ? 'column' : 'k'})`, windows.map((w) => w.kernel), 't')}
${unravel(`i32(${swapped ? 'k' : 'column'})`, sizes, 'x')}
${sourceText(named('x', dims), named('t', dims), windows, text.sizes, 's')}
if (!inside) { return 0.0; }
return ${b}[${text.at('x', `(i32(batch) * ${each} + t)`, named('s', dims))}];
}`;
    },
  };
}

/** The element of gradOut whose window has tap t at input position n·y, of filter o. */
function reverseOperand(gradOut: GpuView, input: readonly number[], kernel: readonly number[], window: Window, groups: number): Operand {
  const dims = kernel.length;
  return {
    buffers: [gradOut.buffer],
    stored: ['f32'],
    key: `reverse ${dims}`,
    pack: (launcher) => {
      packImage(launcher, gradOut);
      packWindow(launcher, kernel, window);
      launcher.list(input).word(gradOut.shape[1] / groups);
    },
    text: (p, [b]) => {
      const text = imageParameters(p, dims);
      const windows = windowParameters(p, dims);
      const sizes = p.ints(dims);
      const each = p.i();
      return `fn load_b(batch: u32, k: u32, column: u32) -> f32 {
${unravel('i32(k)', windows.map((w) => w.kernel), 't')}
${unravel('i32(column)', sizes, 'x')}
${targetText(named('x', dims), named('t', dims), windows, text.sizes, 'o')}
if (!inside) { return 0.0; }
return ${b}[${text.at('x', `(i32(batch) * ${each} + t)`, named('o', dims))}];
}`;
    },
  };
}

/** Stores the gradient of the weight at (filter, channel · tap). */
function storeWeight(weight: GpuView, groups: number): Operand {
  const dims = weight.shape.length - 2;
  return {
    buffers: [weight.buffer],
    stored: ['f32'],
    key: `weight ${dims}`,
    pack: (launcher) => {
      packImage(launcher, weight);
      launcher.word(weight.shape[0] / groups);
    },
    text: (p, [b]) => {
      const image = imageParameters(p, dims);
      const each = p.i();
      return `fn store(batch: u32, row: u32, column: u32, value: f32) {
${unravel('i32(column)', image.sizes, 't')}
${b}[${image.at(`(i32(batch) * ${each} + i32(row))`, 't', named('t', dims))}] = value;
}`;
    },
  };
}

const takes = (...views: readonly (GpuView | null)[]): boolean =>
  views.every((view) => view === null || (view.dtype === 'float32' && view.shape.length <= 5));

export function createConvolution(
  context: Context,
): Pick<Kernels, 'convolution' | 'convolutionInputGrad' | 'convolutionWeightGrad'> {
  return {
    convolution(input, weight, bias, out, window, groups) {
      if (!takes(input, weight, bias, out)) return false;
      launchProduct(context, {
        label: 'convolution',
        type: 'f32',
        batch: groups,
        rows: weight.shape[0] / groups,
        columns: out.shape[0] * product(spatial(out)),
        inner: weight.shape[1] * product(spatial(weight)),
        a: weightOperand('load_a', weight, groups, 'filter-channel'),
        b: windowOperand(input, spatial(out), spatial(weight), window, groups, false),
        aRowsFast: false,
        bColumnsFast: true,
        out: storeImage(out, groups, bias),
      });
      context.release();
      return true;
    },

    convolutionInputGrad(gradOut, weight, gradInput, window, groups) {
      if (!takes(gradOut, weight, gradInput)) return false;
      launchProduct(context, {
        label: 'convolutionInputGrad',
        type: 'f32',
        batch: groups,
        rows: weight.shape[1],
        columns: gradInput.shape[0] * product(spatial(gradInput)),
        inner: (weight.shape[0] / groups) * product(spatial(weight)),
        a: weightOperand('load_a', weight, groups, 'channel-filter'),
        b: reverseOperand(gradOut, spatial(gradInput), spatial(weight), window, groups),
        aRowsFast: false,
        bColumnsFast: true,
        out: storeImage(gradInput, groups, null),
      });
      context.release();
      return true;
    },

    convolutionWeightGrad(input, gradOut, gradWeight, window, groups) {
      if (!takes(input, gradOut, gradWeight)) return false;
      launchProduct(context, {
        label: 'convolutionWeightGrad',
        type: 'f32',
        batch: groups,
        rows: gradWeight.shape[0] / groups,
        columns: gradWeight.shape[1] * product(spatial(gradWeight)),
        inner: gradOut.shape[0] * product(spatial(gradOut)),
        a: loadImage('load_a', gradOut, groups),
        b: windowOperand(input, spatial(gradOut), spatial(gradWeight), window, groups, true),
        aRowsFast: false,
        bColumnsFast: false,
        out: storeWeight(gradWeight, groups),
      });
      context.release();
      return true;
    },
  };
}
