/**
 * @file Winograd's transforms, four tiles in the lanes of a vector. Tiles of a block are laid out as [n · n][channels][tiles], so that what lies between
 * the transforms is n · n plain matrix products.
 */
import type { FunctionCode, Local } from '../../code/function-code.js';
import type { Callee, ModuleCode } from '../../code/module-code.js';
import { type Filtering, type Matrix, transpose } from './cook-toom.js';
import { multiply, multiplyByPowers } from './linear-form.js';

/**
 * `(plane, rowBytes, tileRows, tileColumns, to, element, scratch)`: one padded plane into its place in [n · n][channel][tile]; from one of the n · n elements to
 * the next are `element` bytes. Tiles are taken `m` apart; each has n values a side with `halo` (the input: Bᵀ d B), else m (gradOut: A dY Aᵀ). Up
 * to three tiles are written past each row of them, and read past it: both must have room.
 */
export function emitTileTransform(module: ModuleCode, name: string, matrix: Matrix, m: number, halo: boolean): Callee {
  return module.inner(name, ['plane', 'rowBytes', 'tileRows', 'tileColumns', 'to', 'element', 'scratch'], (f, p) => {
    const n = matrix.length;
    const taken = halo ? n : m;
    const [r, q, row, at, i, from, g, to, groupBytes, scratchRow, element] = f.locals('i32', 11);
    f.set(groupBytes, f.mul(f.shrU(f.add(p.tileColumns, 3), 2), 16));
    f.set(scratchRow, f.add(f.mul(groupBytes, m), 16));
    f.set(row, p.plane);
    f.for(r, 0, p.tileRows, 1, () => {
      // Down the columns first: n rows in the scratch.
      f.for(q, 0, halo ? scratchRow : f.mul(groupBytes, m), 16, () => {
        f.set(at, f.add(row, q));
        const values: Local[] = [];
        for (let v = 0; v < taken; v++) {
          values.push(f.v128(f.loadVector(at)));
          if (v < taken - 1) f.advance(at, p.rowBytes);
        }
        f.set(at, f.add(p.scratch, q));
        multiply(f, matrix, values).forEach((x, v) => {
          f.storeVector(at, 0, x);
          if (v < n - 1) f.advance(at, scratchRow);
        });
      });
      // Then along the rows, four tiles at a time.
      f.set(from, p.scratch);
      f.set(element, f.add(p.to, 0));
      f.for(i, 0, n, 1, () => {
        f.set(at, from);
        f.for(g, 0, groupBytes, 16, () => {
          const values = tileColumns(f, at, m, halo);
          f.set(to, f.add(element, g));
          multiply(f, matrix, values).forEach((x, j) => {
            f.storeVector(to, 0, x);
            if (j < n - 1) f.advance(to, p.element);
          });
          f.advance(at, m * 16);
        });
        f.advance(from, scratchRow);
        f.advance(element, f.mul(p.element, n));
      });
      f.advance(row, f.mul(p.rowBytes, m));
      f.advance(p.to, f.mul(p.tileColumns, 4));
    });
  });
}

/** The values of four tiles side by side: vector v holds value v of each. */
function tileColumns(f: FunctionCode, at: Local, m: number, halo: boolean): Local[] {
  if (m === 4) {
    const values = f.transpose4([0, 1, 2, 3].map((u) => f.v128(f.loadVector(at, u * 16))));
    if (!halo) return values;
    const next = f.v128(f.loadVector(at, 64));
    return [...values, f.v128(f.shuffle(values[0], next, [1, 2, 3, 4])), f.v128(f.shuffle(values[1], next, [1, 2, 3, 5]))];
  }
  const a = f.v128(f.loadVector(at, 0));
  const b = f.v128(f.loadVector(at, 16));
  const even = f.v128(f.shuffle(a, b, [0, 2, 4, 6]));
  const odd = f.v128(f.shuffle(a, b, [1, 3, 5, 7]));
  if (!halo) return [even, odd];
  const next = f.v128(f.loadVector(at, 32));
  return [even, odd, f.v128(f.shuffle(even, next, [1, 2, 3, 4])), f.v128(f.shuffle(odd, next, [1, 2, 3, 5]))];
}

/**
 * `(from, element, tileColumns, bias, to, rowBytes, scratch)`: Aᵀ M A + bias of one row of tiles: m rows of results, written whole, four tiles at a time.
 */
export function emitOutputTransform(module: ModuleCode, { m, n, AT }: Filtering): Callee {
  return module.inner('outputTransform', ['from', 'element', 'tileColumns', 'bias', 'to', 'rowBytes', 'scratch'], (f, p) => {
    const [g, at, scratch, i, to] = f.locals('i32', 5);
    const bias = f.v128(f.loadSplat32(p.bias));
    f.for(g, 0, p.tileColumns, 4, () => {
      f.set(at, p.from);
      f.set(scratch, p.scratch);
      f.for(i, 0, n, 1, () => {
        const values: Local[] = [];
        for (let j = 0; j < n; j++) {
          values.push(f.v128(f.loadVector(at)));
          f.advance(at, p.element);
        }
        multiplyByPowers(f, AT, values).forEach((x, j) => f.storeVector(scratch, j * 16, x));
        f.advance(scratch, m * 16);
      });
      const columns: Local[][] = [];
      for (let j = 0; j < m; j++) {
        const values = Array.from({ length: n }, (_, v) => f.v128(f.loadVector(p.scratch, (v * m + j) * 16)));
        columns.push(multiplyByPowers(f, AT, values));
      }
      f.set(to, p.to);
      for (let row = 0; row < m; row++) {
        const values = columns.map((column) => f.v128(f.vadd(column[row], bias)));
        if (m === 4) f.transpose4(values).forEach((x, u) => f.storeVector(to, u * 16, x));
        else {
          f.storeVector(to, 0, f.shuffle(values[0], values[1], [0, 4, 1, 5]));
          f.storeVector(to, 16, f.shuffle(values[0], values[1], [2, 6, 3, 7]));
        }
        if (row < m - 1) f.advance(to, p.rowBytes);
      }
      f.advance(p.from, 16);
      f.advance(p.to, m * 16);
    });
  });
}

/** Weights are read by rows (output channels), four of them in the lanes. Strides in bytes; those of taps are negative where the filter is turned. */
export const WEIGHT_FIELDS = ['from', 'fromGroup', 'fromRow', 'fromChannel', 'tapH', 'tapW', 'rows', 'channels', 'to', 'toGroup'] as const;

/** The task `weights`: G g Gᵀ of each filter, as [n · n][rows / 4][channels][4]. Its parts are groups times panels of four rows. */
export function emitWeightTransform(module: ModuleCode, { n, G }: Filtering): void {
  module.task('weights', WEIGHT_FIELDS, (f, read, begin, end) => {
    const p = read as unknown as Readonly<Record<(typeof WEIGHT_FIELDS)[number], Local>>;
    const [panels, group, panel, last, place, c, to, at, element] = f.locals('i32', 9);
    const rows = f.locals('i32', 4);
    f.set(panels, f.shrU(f.add(p.rows, 3), 2));
    f.set(element, f.mul(f.mul(panels, p.channels), 16));
    f.set(last, f.sub(p.rows, 1));
    f.while(
      () => f.ne(begin, end),
      () => {
        f.set(group, f.div(begin, panels));
        f.set(panel, f.rem(begin, panels));
        rows.forEach((pointer, r) => {
          f.set(place, f.add(f.mul(panel, 4), r));
          f.set(pointer, f.add(f.add(p.from, f.mul(group, p.fromGroup)), f.mul(f.min(place, last), p.fromRow)));
        });
        f.set(to, f.add(f.add(p.to, f.mul(group, p.toGroup)), f.mul(panel, f.mul(p.channels, 16))));
        f.for(c, 0, p.channels, 1, () => {
          const taps: Local[][] = [];
          for (let h = 0; h < 3; h++) {
            taps.push([]);
            for (let w = 0; w < 3; w++) {
              const offset = f.i32(f.add(f.mul(p.tapH, h), f.mul(p.tapW, w)));
              const four = f.v128(f.loadSplat32(f.add(rows[0], offset)));
              for (let r = 1; r < 4; r++)
                f.set(four, f.replaceLane('f32x4', four, r, f.loadF32(f.add(rows[r], offset))));
              taps[h].push(four);
            }
          }
          const columns = [0, 1, 2].map((w) => multiply(f, G, [taps[0][w], taps[1][w], taps[2][w]]));
          f.set(at, to);
          for (let i = 0; i < n; i++) {
            for (const x of multiply(f, G, [columns[0][i], columns[1][i], columns[2][i]])) {
              f.storeVector(at, 0, x);
              f.advance(at, element);
            }
          }
          for (const pointer of rows) f.advance(pointer, p.fromChannel);
          f.advance(to, 16);
        });
        f.advance(begin, 1);
      },
    );
  });
}

/** The partial sums of [n · n][rows][channels padded to 4] and where the gradient goes. Strides in bytes. */
export const WEIGHT_GRAD_FIELDS = [
  ...['partials', 'partialBytes', 'splits', 'element', 'partialRow', 'rows', 'channels'],
  ...['out', 'outGroup', 'outRow', 'outChannel', 'tapH', 'tapW'],
] as const;

/** The task `weightGrads`: Gᵀ dU G of the partial sums' sum. Its parts are groups times rows. */
export function emitWeightGradTransform(module: ModuleCode, { n, G }: Filtering): void {
  const GT = transpose(G);
  module.task('weightGrads', WEIGHT_GRAD_FIELDS, (f, read, begin, end) => {
    const p = read as unknown as Readonly<Record<(typeof WEIGHT_GRAD_FIELDS)[number], Local>>;
    const [group, row, from, to, c, at, partial, s, last] = f.locals('i32', 9);
    f.set(last, f.sub(p.channels, 1));
    const rowSums = Array.from({ length: n }, () => f.locals('v128', 3));
    f.while(
      () => f.ne(begin, end),
      () => {
        f.set(group, f.div(begin, p.rows));
        f.set(row, f.rem(begin, p.rows));
        f.set(from, f.add(p.partials, f.add(f.mul(f.mul(group, p.splits), p.partialBytes), f.mul(row, p.partialRow))));
        f.set(to, f.add(p.out, f.add(f.mul(group, p.outGroup), f.mul(row, p.outRow))));
        f.for(c, 0, p.channels, 4, () => {
          f.set(at, from);
          for (let i = 0; i < n; i++) {
            const values = f.locals('v128', n);
            for (const value of values) {
              f.set(value, f.loadVector(at));
              f.set(partial, at);
              f.for(s, 1, p.splits, 1, () => {
                f.advance(partial, p.partialBytes);
                f.set(value, f.vadd(value, f.loadVector(partial)));
              });
              f.advance(at, p.element);
            }
            multiply(f, GT, values).forEach((x, w) => f.set(rowSums[i][w], x));
          }
          for (let w = 0; w < 3; w++) {
            multiply(
              f,
              GT,
              rowSums.map((sums) => sums[w]),
            ).forEach((x, h) => {
              f.set(at, f.add(to, f.add(f.mul(p.tapH, h), f.mul(p.tapW, w))));
              for (let lane = 0; lane < 4; lane++) {
                f.if(f.le(f.add(c, lane), last), () => f.storeF32(at, 0, f.lane('f32x4', x, lane)));
                f.advance(at, p.outChannel);
              }
            });
          }
          f.advance(from, 16);
          f.advance(to, f.mul(p.outChannel, 4));
        });
        f.advance(begin, 1);
      },
    );
  });
}
