/** @file The operands and results of convolutions as products: how weights, images and windows are read in place, and where elements are stored. */
import type { Window } from '@tessera/core/backend';
import type { Place } from '../kernels/epilogue.js';
import type { Operand } from '../kernels/operand.js';
import type { GpuView } from '../wgsl/views.js';
import { imageParameters, named, packImage, packWindow, unravel, type WindowDim, windowParameters } from './spatial.js';

export const spatial = (view: GpuView): readonly number[] => view.shape.slice(2);

const XYZ = ['y', 'z', 'w'];
/** A vector of an offset and up to three coordinates. */
const vector = (offset: string, coordinates: readonly string[]): string =>
  `vec4i(${[offset, ...coordinates, '0', '0', '0'].slice(0, 4).join(', ')})`;
/** Σ coordinate · stride. */
const dot = (coordinates: readonly string[], strides: readonly string[]): string =>
  coordinates.map((x, d) => `${x} * ${strides[d]}`).join(' + ');
/** The function of an operand whose element lies at the sum of two offsets. */
const plainAt = (name: string, binding: string): string =>
  `fn ${name}_at(outer: vec4i, inner: vec4i) -> f32 { return ${binding}[u32(outer.x + inner.x)]; }`;

/**
 * The weight (O, C/groups, …) as operand a. By filters: the row is a filter, k a channel and a tap; by channels: the row is a channel, k a
 * filter and a tap.
 */
export function weightOperand(weight: GpuView, groups: number, rows: 'filters' | 'channels'): Operand {
  const kernel = spatial(weight);
  const dims = kernel.length;
  return {
    buffers: [weight.buffer],
    stored: ['f32'],
    key: `weight ${rows} ${dims}`,
    pack: (launcher) => {
      packImage(launcher, weight);
      launcher.word(weight.shape[0] / groups);
    },
    text: (p, [b]) => {
      const image = imageParameters(p, dims);
      const group = `${image.offset} + i32(batch) * ${p.i()} * ${image.batchStride}`;
      const [row, inner] = rows === 'filters' ? [image.batchStride, image.channelStride] : [image.channelStride, image.batchStride];
      return `fn a_outer(batch: u32, row: u32) -> vec4i { return vec4i(${group} + i32(row) * ${row}, 0, 0, 0); }
fn a_inner(batch: u32, k: u32) -> vec4i {
${unravel('k', image.sizes, 't')}
return vec4i(t * ${inner} + ${dot(named('t', dims), image.strides)}, 0, 0, 0);
}
${plainAt('a', b)}`;
    },
  };
}

/** An image (N, C, …) as operand a: the row is a channel of the group, k a flat index over n and the positions. */
export function imageOperand(view: GpuView, groups: number): Operand {
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
      const image = imageParameters(p, dims);
      return `fn a_outer(batch: u32, row: u32) -> vec4i { return vec4i(${image.offset} + (i32(batch) * ${p.i()} + i32(row)) * ${image.channelStride}, 0, 0, 0); }
fn a_inner(batch: u32, k: u32) -> vec4i {
${unravel('k', image.sizes, 'x')}
return vec4i(x * ${image.batchStride} + ${dot(named('x', dims), image.strides)}, 0, 0, 0);
}
${plainAt('a', b)}`;
    },
  };
}

/** Stores at a channel of the group and a position, with a bias for each channel. */
export function storeImage(view: GpuView, groups: number, bias: GpuView | null): Operand {
  const dims = view.shape.length - 2;
  return {
    buffers: bias === null ? [view.buffer] : [view.buffer, bias.buffer],
    stored: bias === null ? ['f32'] : ['f32', 'f32'],
    key: `image ${dims} ${bias === null ? '' : 'bias'}`,
    pack: (launcher) => {
      packImage(launcher, view);
      launcher.word(view.shape[1] / groups);
      if (bias !== null) launcher.word(bias.offset).word(bias.strides[0]);
    },
    text: (p, [b, c]) => {
      const image = imageParameters(p, dims);
      const each = p.i();
      const value = bias === null ? 'value' : `value + ${c}[u32(${p.i()} + channel * ${p.i()})]`;
      return `fn store(batch: u32, row: u32, column: u32, value: f32) {
let channel = i32(batch) * ${each} + i32(row);
${unravel('column', image.sizes, 'x')}
${b}[${image.at('x', 'channel', named('x', dims))}] = ${value};
}`;
    },
  };
}

/** Where the elements of a product belong in an image (N, C, …): rows are channels of a group, columns places in the batch and its positions. */
export const inImage = (channels: number, groups: number, positions: number): Place => ({
  key: 'image',
  pack: (launcher) => {
    launcher.word(channels / groups);
    launcher.word(positions);
    launcher.word(channels);
  },
  text: (p) => {
    const [each, size, all] = p.uints(3);
    return `let feature = batch * ${each} + row;
let at = (column / ${size} * ${all} + feature) * ${size} + column % ${size};`;
  },
});

/** What windows meet: an image, and the coordinates that its elements are looked up at. */
interface Windowed {
  readonly image: GpuView;
  /** Sizes that positions count over. */
  readonly positions: readonly number[];
  readonly kernel: readonly number[];
  readonly window: Window;
  readonly groups: number;
  /** What columns are: positions, or channels and taps. */
  readonly columns: 'positions' | 'taps';
  readonly key: string;
  /** The coordinate of position `x` along a dim, before taps. */
  readonly position: (x: string, window: WindowDim) => string;
  /** Statements that define `s${d}`, the image's coordinate, from `outer.` and `inner.${axis}`; and when there is one (besides being in bounds). */
  readonly meet: (d: number, axis: string, window: WindowDim) => { readonly statements: string; readonly exact: string };
}

/** Operand b of a convolution: a position and a channel with a tap meet in one element of the image, or outside of it. */
function windowedOperand({ image, positions, kernel, window, groups, columns, key, position, meet }: Windowed): Operand {
  const dims = kernel.length;
  return {
    buffers: [image.buffer],
    stored: ['f32'],
    key: `${key} ${dims} ${columns}`,
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
      const [byPosition, byTap] = columns === 'positions' ? ['b_outer', 'b_inner'] : ['b_inner', 'b_outer'];
      const met = windows.map((w, d) => meet(d, XYZ[d], w));
      const inside = met.map(({ exact }, d) => `${exact}u32(s${d}) < u32(${text.sizes[d]})`).join(' && ');
      const start = windows.map((w, d) => position(`x${d}`, w));
      const reach = windows.map(({ dilation }, d) => `t${d} * ${dilation}`);
      const taps = windows.map((w) => w.kernel);
      return `fn ${byPosition}(batch: u32, index: u32) -> vec4i {
${unravel('index', sizes, 'x')}
return ${vector(`x * ${text.batchStride}`, start)};
}
fn ${byTap}(batch: u32, index: u32) -> vec4i {
${unravel('index', taps, 't')}
return ${vector(`${text.offset} + (i32(batch) * ${each} + t) * ${text.channelStride}`, reach)};
}
fn b_at(outer: vec4i, inner: vec4i) -> f32 {
${met.map(({ statements }) => statements).join('\n')}
if (${inside}) { return ${b}[u32(outer.x + inner.x + ${dot(named('s', dims), text.strides)})]; }
return 0.0;
}`;
    },
  };
}

/** The windows of an image: columns are positions of the output, or taps where `columns` says so. */
export const windowOperand = (
  image: GpuView,
  positions: readonly number[],
  kernel: readonly number[],
  window: Window,
  groups: number,
  columns: 'positions' | 'taps',
): Operand =>
  windowedOperand({
    image,
    positions,
    kernel,
    window,
    groups,
    columns,
    key: 'windows',
    position: (x, { stride, padding }) => `${x} * ${stride} - ${padding}`,
    meet: (d, axis) => ({ statements: `let s${d} = outer.${axis} + inner.${axis};`, exact: '' }),
  });

/** gradOut as operand b of the input's gradient: a column is a position of the input, k a filter of the group and a tap. */
export function reverseOperand(
  gradOut: GpuView,
  input: readonly number[],
  kernel: readonly number[],
  window: Window,
  groups: number,
): Operand {
  const whole = window.stride.every((stride) => stride === 1);
  return windowedOperand({
    image: gradOut,
    positions: input,
    kernel,
    window,
    groups,
    columns: 'positions',
    key: `reverse ${whole}`,
    // How far tap 0 of the window at the origin lies before the input's position, in steps of one.
    position: (x, { padding }) => `${x} + ${padding}`,
    meet: (d, axis, { stride }) => {
      const reach = `let r${d} = outer.${axis} - inner.${axis};`;
      return whole
        ? { statements: `${reach} let s${d} = r${d};`, exact: '' }
        : {
            statements: `${reach} let s${d} = i32(u32(max(r${d}, 0)) / u32(${stride}));`,
            exact: `r${d} >= 0 && s${d} * ${stride} == r${d} && `,
          };
    },
  });
}

/** Stores the gradient of the weight at (filter, channel · tap). */
export function storeWeight(weight: GpuView, groups: number): Operand {
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
${unravel('column', image.sizes, 't')}
${b}[${image.at(`(i32(batch) * ${each} + i32(row))`, 't', named('t', dims))}] = value;
}`;
    },
  };
}
