/** @file Printing a tensor as PyTorch does. PyTorch: torch/_tensor_str.py. */
import { runtimes } from '../plugin/runtime.js';
import { DTYPE_INFO } from './dtype.js';
import type { HostArray } from './host.js';
import { contiguousStrides, type Shape } from './shape.js';
import type { Tensor } from './tensor.js';
import { checkOptions, type OptionNames } from '../options.js';

const PRINT_OPTIONS: OptionNames<PrintOptions> = {
  precision: true,
  threshold: true,
  edgeitems: true,
  linewidth: true,
  sciMode: true,
  profile: true,
};

export interface PrintOptions {
  /** Digits after the point. Default 4. */
  readonly precision?: number;
  /** A tensor with more elements is summarised. Default 1000. */
  readonly threshold?: number;
  /** How many entries a summary shows at each end of a dim. Default 3. */
  readonly edgeitems?: number;
  /** Default 80. */
  readonly linewidth?: number;
  /** Scientific notation, always or never; null (the default): where numbers are far apart. */
  readonly sciMode?: boolean | null;
  /** Several at once: 'default', 'short' (2 digits, 2 entries) or 'full' (no summaries). */
  readonly profile?: 'default' | 'short' | 'full';
}

const DEFAULTS = { precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80, sciMode: null as boolean | null };
const current = { ...DEFAULTS };

/** How tensors are printed from now on. PyTorch: torch.set_printoptions. */
export function setPrintoptions(options: PrintOptions): void {
  checkOptions('setPrintoptions', options, PRINT_OPTIONS);
  const { profile } = options;
  if (profile === 'default' || profile === 'full') Object.assign(current, DEFAULTS, { threshold: profile === 'full' ? Infinity : 1000 });
  else if (profile === 'short') Object.assign(current, DEFAULTS, { precision: 2, edgeitems: 2 });
  current.precision = options.precision ?? current.precision;
  current.threshold = options.threshold ?? current.threshold;
  current.edgeitems = options.edgeitems ?? current.edgeitems;
  current.linewidth = options.linewidth ?? current.linewidth;
  current.sciMode = options.sciMode ?? null;
}

/** Python's '{:.4f}': halves that binary holds exactly go to the even digit, where JavaScript's go up. */
function fixed(x: number, digits: number): string {
  if (!Number.isFinite(x)) return x !== x ? 'nan' : x > 0 ? 'inf' : '-inf';
  const negative = x < 0 || Object.is(x, -0);
  const text = evenHalf(Math.abs(x), digits, (y, n) => y.toFixed(n));
  return negative ? `-${text}` : text;
}

/** Python's '{:.4e}': the same, with two digits of exponent at least. */
function scientific(x: number, digits: number): string {
  if (!Number.isFinite(x)) return fixed(x, 0);
  const negative = x < 0 || Object.is(x, -0);
  const [mantissa, exponent] = evenHalf(Math.abs(x), digits, (y, n) => y.toExponential(n)).split('e') as [string, string];
  return `${negative ? '-' : ''}${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}

/** Rounded down where exactly half-way and the digit before is even. */
function evenHalf(x: number, digits: number, write: (x: number, digits: number) => string): string {
  const up = write(x, digits);
  if (x >= 1e21 || digits >= 60) return up;
  const exact = write(x, Math.min(digits + 40, 100));
  const [all, exponent = ''] = exact.split('e') as [string, string?];
  const point = all.indexOf('.') + 1;
  const tail = all.slice(point + digits);
  if (!/^50*$/.test(tail) || !exponent.startsWith(up.split('e')[1] ?? '')) return up;
  const kept = digits === 0 ? all.slice(0, point - 1) : all.slice(0, point + digits);
  return Number(kept.at(-1)) % 2 === 0 ? kept + (exponent === '' ? '' : `e${exponent}`) : up;
}

/** How the elements of one tensor are written: to one width, in one notation. */
class Formatter {
  readonly width: number;
  readonly #whole: boolean;
  readonly #scientific: boolean;

  constructor(
    data: ArrayLike<number>,
    readonly dtype: Tensor['dtype'],
  ) {
    let width = 1;
    let whole = true;
    let sci = false;
    if (DTYPE_INFO[dtype].category !== 'float') for (let i = 0; i < data.length; i++) width = Math.max(width, this.#plain(data[i]!).length);
    else {
      let low = Infinity;
      let high = 0;
      const finite: number[] = [];
      for (let i = 0; i < data.length; i++) {
        const x = data[i]!;
        if (x === 0 || !Number.isFinite(x)) continue;
        finite.push(x);
        low = Math.min(low, Math.abs(x));
        high = Math.max(high, Math.abs(x));
        if (!Number.isInteger(x)) whole = false;
      }
      if (finite.length > 0) {
        sci = high / low > 1000 || high > 1e8 || (!whole && low < 1e-4);
        const write = sci
          ? (x: number) => scientific(x, current.precision)
          : whole
            ? (x: number) => `${fixed(x, 0)}.`
            : (x: number) => fixed(x, current.precision);
        for (const x of finite) width = Math.max(width, write(x).length);
        if (current.sciMode !== null) sci = current.sciMode;
      }
    }
    this.width = width;
    this.#whole = whole;
    this.#scientific = sci;
  }

  #plain(x: number): string {
    return this.dtype === 'bool' ? (x !== 0 ? 'True' : 'False') : String(x);
  }

  format(x: number): string {
    const text =
      DTYPE_INFO[this.dtype].category !== 'float'
        ? this.#plain(x)
        : this.#scientific
          ? scientific(x, current.precision)
          : this.#whole
            ? fixed(x, 0) + (Number.isFinite(x) ? '.' : '')
            : fixed(x, current.precision);
    return text.padStart(this.width);
  }
}

/** The elements that are shown: of long dims, where there are too many elements, the two ends. */
interface Shown {
  readonly tensor: Tensor;
  /** Sizes of what is shown. */
  readonly shape: Shape;
  /** Dims of which a part is left out. */
  readonly cut: readonly boolean[];
}

function shownOf(x: Tensor): Shown {
  const t = x.detach();
  const summarise = t.numel() > current.threshold;
  const e = current.edgeitems;
  const cut = t.shape.map((s) => summarise && s > 2 * e);
  if (!cut.includes(true)) return { tensor: t, shape: t.shape, cut };
  // The two ends of a dim are a dim of 2 before one of `e`: one view shows all the corners.
  const strides = t.stride();
  const tensor = t.asStrided(
    t.shape.flatMap((s, d) => (cut[d]! ? [2, e] : [s])),
    t.shape.flatMap((s, d) => (cut[d]! ? [(s - e) * strides[d]!, strides[d]!] : [strides[d]!])),
    t.offset,
  );
  return { tensor, shape: t.shape.map((s, d) => (cut[d]! ? 2 * e : s)), cut };
}

function body(data: ArrayLike<number>, { shape, cut }: Shown, formatter: Formatter, indent: number): string {
  const strides = contiguousStrides(shape);
  const level = (d: number, offset: number, margin: number): string => {
    if (d === shape.length) return formatter.format(data[offset]!);
    const size = shape[d]!;
    const items: string[] = [];
    for (let i = 0; i < size; i++) {
      if (cut[d]! && i === size / 2) items.push(d === shape.length - 1 ? ' ...' : '...');
      items.push(level(d + 1, offset + i * strides[d]!, margin + 1));
    }
    const pad = ' '.repeat(margin + 1);
    if (d < shape.length - 1) return `[${items.join(`,${'\n'.repeat(shape.length - 1 - d)}${pad}`)}]`;
    const perLine = Math.max(1, Math.floor((current.linewidth - margin) / (formatter.width + 2)));
    const lines: string[] = [];
    for (let i = 0; i < items.length; i += perLine) lines.push(items.slice(i, i + perLine).join(', '));
    return `[${lines.join(`,\n${pad}`)}]`;
  };
  return level(0, 0, indent);
}

function withSuffixes(text: string, suffixes: readonly string[], indent: number): string {
  let out = text;
  // As PyTorch counts it: the last line, and two more.
  let last = text.length - text.lastIndexOf('\n') + 1;
  for (const suffix of suffixes) {
    if (last + suffix.length + 2 > current.linewidth) {
      out += `,\n${' '.repeat(indent)}${suffix}`;
      last = indent + suffix.length;
    } else {
      out += `, ${suffix}`;
      last += suffix.length + 2;
    }
  }
  return `${out})`;
}

function render(x: Tensor, shown: Shown, data: HostArray, defaultDevice: string, prefix: string): string {
  const suffixes: string[] = [];
  if (x.device.id !== defaultDevice) suffixes.push(`device='${x.device.id}'`);
  if (x.numel() === 0 && x.ndim !== 1) suffixes.push(`size=(${x.shape.join(', ')}${x.ndim === 1 ? ',' : ''})`);
  // int32 stands where PyTorch has int64, which it does not name either; of an empty tensor only float32 goes without saying.
  const silent = x.numel() === 0 ? ['float32'] : ['float32', 'int32', 'bool'];
  if (!silent.includes(x.dtype)) suffixes.push(`dtype=${x.dtype}`);
  if (x.gradFn !== null) suffixes.push(`grad_fn=<${x.gradFn.name}>`);
  else if (x.requiresGrad) suffixes.push('requires_grad=True');
  const text = x.numel() === 0 ? '[]' : body(data, shown, new Formatter(data, x.dtype), prefix.length);
  return withSuffixes(text, suffixes, prefix.length);
}

/** The device that goes without saying. */
const defaultDeviceOf = (): string => runtimes.current.defaultDevice.id;

/**
 * A tensor as PyTorch prints it; dtypes without `torch.`. On a device that cannot be read synchronously the elements are left out:
 * `formatTensorAsync` has them.
 */
export function formatTensor(x: Tensor, prefix = 'tensor('): string {
  if (x.numel() > 0 && x.device.backend.readSync === undefined)
    return `${prefix}..., size=(${x.shape.join(', ')}), dtype=${x.dtype}, device='${x.device.id}')`;
  const shown = shownOf(x);
  return prefix + render(x, shown, shown.tensor.data(), defaultDeviceOf(), prefix);
}
/** As `formatTensor`, on every device. */
export async function formatTensorAsync(x: Tensor, prefix = 'tensor('): Promise<string> {
  const shown = shownOf(x);
  return prefix + render(x, shown, await shown.tensor.dataAsync(), defaultDeviceOf(), prefix);
}
