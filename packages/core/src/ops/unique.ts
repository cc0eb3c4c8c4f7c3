/** @file What different elements, or slices, there are. How many must be read, so there is an `…Async` form for every device. */
import { checkOptions, type OptionNames } from '../options.js';
import { ShapeError } from '../errors.js';
import { normalizeDim } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { castValue, indexValue } from '../tensor/value.js';
import { arange } from './creation.js';
import { e } from './expression.js';
import { filled } from './fill.js';
import { gather, indexSelect, launchScatter } from './gather.js';
import { reduceTo } from './reduction.js';
import { OPS } from './registry.js';
import { wrap } from './result.js';
import { startsRun } from './runs.js';
import { launchScan } from './scan.js';
import { launchSort } from './sort.js';
import { narrow, reshape, select, transpose } from './view.js';

export interface UniqueConsecutiveOptions {
  /** Where each element of the input is found in the result. */
  readonly returnInverse?: boolean;
  /** How often each comes. */
  readonly returnCounts?: boolean;
  /** Slices of a dim in place of elements. */
  readonly dim?: number | null;
}
export interface UniqueOptions extends UniqueConsecutiveOptions {
  /** Rising. Here they always are. */
  readonly sorted?: boolean;
}

/** The unique ones; with `returnInverse` and `returnCounts`, then those, in this order. */
export type UniqueResult<O extends UniqueConsecutiveOptions> = O extends { readonly returnInverse: true } | { readonly returnCounts: true }
  ? Tensor[]
  : Tensor;

/** All but the number of runs, which is on the device still: the last of `numbers`, and one more. */
interface Runs {
  /** The sorted elements or slices, along dim 0. */
  readonly rows: Tensor;
  /** Where each came from; null where nothing was moved. */
  readonly order: Tensor | null;
  /** Which run each belongs to (int32). */
  readonly numbers: Tensor;
}

/** Is each row unlike the one before it? */
function numberRuns(rows: Tensor): Tensor {
  const matrix = reshape(rows, [rows.shape[0]!, -1]);
  const differs = castValue(startsRun(matrix, 0), 'int32');
  const starts = wrap(reduceTo('max', differs, [1], false, 0));
  const index = indexValue(starts.shape, 0, rows.device);
  return launchScan('sum', false, wrap(e.where(e.eq(index, 0), 0, starts.value)), 0, 'int32');
}

/** Stable sorts by each column, from the last to the first, put rows in lexical order. */
function lexicalOrder(matrix: Tensor): Tensor {
  let order = arange(matrix.shape[0]!, { device: matrix.device });
  for (let column = matrix.shape[1]! - 1; column >= 0; column--) {
    const places = launchSort(gather(select(matrix, 1, column), 0, order), 0, false)[1];
    order = gather(order, 0, places);
  }
  return order;
}

function findRuns(op: string, x: Tensor, dim: number | null, sorted: boolean): Runs {
  const input = x.detach();
  if (dim === null) {
    const flat = reshape(input, [-1]);
    const [rows, order] = sorted ? launchSort(flat, 0, false) : [flat, null];
    return { rows, order, numbers: rows.numel() === 0 ? filled([0], 0, 'int32', x.device) : numberRuns(rows) };
  }
  const d = normalizeDim(dim, x.ndim, op);
  if (x.numel() === 0) {
    if (x.shape[d] !== 0)
      throw new ShapeError('ERR_UNIQUE', `${op}: There are 0 sized dimensions, and they aren't selected, so unique cannot be applied`, {
        op,
        shapes: [x.shape],
      });
    return { rows: transpose(input, 0, d), order: null, numbers: filled([0], 0, 'int32', x.device) };
  }
  const slices = transpose(input, 0, d);
  const matrix = reshape(slices, [slices.shape[0]!, -1]);
  const order = sorted ? lexicalOrder(matrix) : null;
  const rows = order === null ? slices : indexSelect(slices, 0, order);
  return { rows, order, numbers: numberRuns(rows) };
}

/** What is read: the number of the last run. */
const lastNumber = (runs: Runs): Tensor => narrow(runs.numbers, 0, runs.numbers.numel() - 1, 1);

const UNIQUE_OPTIONS: OptionNames<UniqueOptions> = { returnInverse: true, returnCounts: true, dim: true, sorted: true };

function finish({ rows, order, numbers }: Runs, x: Tensor, options: UniqueConsecutiveOptions, count: number): Tensor | Tensor[] {
  const { device } = x;
  const dim = options.dim ?? null;
  const total = numbers.numel();
  const wide = (shape: readonly number[]): Tensor =>
    reshape(numbers, [total, ...shape.slice(1).map(() => 1)]).expand([total, ...shape.slice(1)]);
  const target = [count, ...rows.shape.slice(1)];
  const first = launchScatter('set', filled(target, 0, x.dtype, device), 0, wide(rows.shape), rows);
  const results = [dim === null ? first : transpose(first, 0, normalizeDim(dim, x.ndim, 'unique')).contiguous()];
  if (options.returnInverse === true) {
    const inverse = order === null ? numbers : launchScatter('set', filled([total], 0, 'int32', device), 0, order, numbers);
    results.push(dim === null ? wrap(reshape(inverse, x.shape).value) : inverse);
  }
  if (options.returnCounts === true)
    results.push(launchScatter('add', filled([count], 0, 'int32', device), 0, numbers, filled([total], 1, 'int32', device)));
  return results.length === 1 ? results[0]! : results;
}

function now<O extends UniqueConsecutiveOptions>(op: string, x: Tensor, options: O, sorted: boolean): UniqueResult<O> {
  checkOptions<UniqueOptions>(op, options, UNIQUE_OPTIONS);
  const runs = findRuns(op, x, options.dim ?? null, sorted);
  return finish(runs, x, options, runs.numbers.numel() === 0 ? 0 : lastNumber(runs).item() + 1) as UniqueResult<O>;
}

async function later<O extends UniqueConsecutiveOptions>(op: string, x: Tensor, options: O, sorted: boolean): Promise<UniqueResult<O>> {
  checkOptions<UniqueOptions>(op, options, UNIQUE_OPTIONS);
  const runs = findRuns(op, x, options.dim ?? null, sorted);
  return finish(runs, x, options, runs.numbers.numel() === 0 ? 0 : (await lastNumber(runs).itemAsync()) + 1) as UniqueResult<O>;
}

OPS.set('unique', { name: 'unique', inputs: 1, differentiable: false });
/**
 * The different elements (or, with `dim`, slices), rising. PyTorch: torch.unique.
 *
 * @example unique(x)
 * @example const [values, inverse, counts] = unique(x, { returnInverse: true, returnCounts: true })
 * @throws NotSupportedError `ERR_SYNC_READ`: use `uniqueAsync`.
 */
export const unique = <O extends UniqueOptions = Record<never, never>>(x: Tensor, options: O = {} as O): UniqueResult<O> =>
  now('unique', x, options, true);
/** As {@link unique}, on every device. */
export const uniqueAsync = <O extends UniqueOptions = Record<never, never>>(x: Tensor, options: O = {} as O): Promise<UniqueResult<O>> =>
  later('unique', x, options, true);

OPS.set('uniqueConsecutive', { name: 'uniqueConsecutive', inputs: 1, differentiable: false });
/** The first of each run of equal elements (or slices). PyTorch: torch.unique_consecutive. */
export const uniqueConsecutive = <O extends UniqueConsecutiveOptions = Record<never, never>>(
  x: Tensor,
  options: O = {} as O,
): UniqueResult<O> => now('uniqueConsecutive', x, options, false);
/** As {@link uniqueConsecutive}, on every device. */
export const uniqueConsecutiveAsync = <O extends UniqueConsecutiveOptions = Record<never, never>>(
  x: Tensor,
  options: O = {} as O,
): Promise<UniqueResult<O>> => later('uniqueConsecutive', x, options, false);
