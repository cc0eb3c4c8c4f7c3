/**
 * @file Winograd's transforms, four tiles in the lanes of a vector. Tiles of a block are laid out as [n · n][channels][tiles], so that what lies between
 * the transforms is n · n plain matrix products.
 */
import { f32, f32x4, type FunctionBuilder, i32, type ModuleBuilder, v128 } from '../../assembler/index.js';
import { type Callee, inner, least, type I32, type V128, locals, task, transpose4, words } from '../../code/emit.js';
import { type Filtering, type Matrix, transpose } from './cook-toom.js';
import { multiply, multiplyByPowers } from './linear-form.js';

/**
 * `(plane, rowBytes, tileRows, tileColumns, to, element, scratch)`: one padded plane into its place in [n · n][channel][tile]; from one of the n · n elements to
 * the next are `element` bytes. Tiles are taken `m` apart; each has n values a side with `halo` (the input: Bᵀ d B), else m (gradOut: A dY Aᵀ). Up
 * to three tiles are written past each row of them, and read past it: both must have room.
 */
export function emitTileTransform(module: ModuleBuilder, name: string, matrix: Matrix, m: number, halo: boolean): Callee {
  return inner(module, name, ['plane', 'rowBytes', 'tileRows', 'tileColumns', 'to', 'element', 'scratch'], (f, p) => {
    const n = matrix.length;
    const taken = halo ? n : m;
    const [r, q, row, at, i, from, g, to, groupBytes, scratchRow, element] = locals(f, 'i32', 11);
    f.set(groupBytes, i32.mul(i32.shrU(i32.add(p.tileColumns, 3), 2), 16));
    f.set(scratchRow, i32.add(i32.mul(groupBytes, m), 16));
    f.set(row, p.plane);
    f.for(r, 0, p.tileRows, 1, () => {
      // Down the columns first: n rows in the scratch.
      f.for(q, 0, halo ? scratchRow : f.keep(i32.mul(groupBytes, m)), 16, () => {
        f.set(at, i32.add(row, q));
        const values: V128[] = [];
        for (let v = 0; v < taken; v++) {
          values.push(f.local('v128', v128.load(at)));
          if (v < taken - 1) f.increment(at, p.rowBytes);
        }
        f.set(at, i32.add(p.scratch, q));
        multiply(f, matrix, values).forEach((x, v) => {
          f.emit(v128.store(at, x));
          if (v < n - 1) f.increment(at, scratchRow);
        });
      });
      // Then along the rows, four tiles at a time.
      f.set(from, p.scratch);
      f.set(element, i32.add(p.to, 0));
      f.for(i, 0, n, 1, () => {
        f.set(at, from);
        f.for(g, 0, groupBytes, 16, () => {
          const values = tileColumns(f, at, m, halo);
          f.set(to, i32.add(element, g));
          multiply(f, matrix, values).forEach((x, j) => {
            f.emit(v128.store(to, x));
            if (j < n - 1) f.increment(to, p.element);
          });
          f.increment(at, m * 16);
        });
        f.increment(from, scratchRow);
        f.increment(element, i32.mul(p.element, n));
      });
      f.increment(row, i32.mul(p.rowBytes, m));
      f.increment(p.to, i32.mul(p.tileColumns, 4));
    });
  });
}

/** The values of four tiles side by side: vector v holds value v of each. */
function tileColumns(f: FunctionBuilder, at: I32, m: number, halo: boolean): V128[] {
  if (m === 4) {
    const values = transpose4(
      f,
      [0, 1, 2, 3].map((u) => f.local('v128', v128.load(at, u * 16))),
    );
    if (!halo) return values;
    const next = f.local('v128', v128.load(at, 64));
    return [
      ...values,
      f.local('v128', f32x4.shuffle([1, 2, 3, 4], values[0], next)),
      f.local('v128', f32x4.shuffle([1, 2, 3, 5], values[1], next)),
    ];
  }
  const a = f.local('v128', v128.load(at, 0));
  const b = f.local('v128', v128.load(at, 16));
  const even = f.local('v128', f32x4.shuffle([0, 2, 4, 6], a, b));
  const odd = f.local('v128', f32x4.shuffle([1, 3, 5, 7], a, b));
  if (!halo) return [even, odd];
  const next = f.local('v128', v128.load(at, 32));
  return [even, odd, f.local('v128', f32x4.shuffle([1, 2, 3, 4], even, next)), f.local('v128', f32x4.shuffle([1, 2, 3, 5], odd, next))];
}

/**
 * `(from, element, tileColumns, bias, to, rowBytes, scratch)`: Aᵀ M A + bias of one row of tiles: m rows of results, written whole, four tiles at a time.
 */
export function emitOutputTransform(module: ModuleBuilder, { m, n, AT }: Filtering): Callee {
  return inner(module, 'outputTransform', ['from', 'element', 'tileColumns', 'bias', 'to', 'rowBytes', 'scratch'], (f, p) => {
    const [g, at, scratch, i, to] = locals(f, 'i32', 5);
    const bias = f.local('v128', v128.load32Splat(p.bias));
    f.for(g, 0, p.tileColumns, 4, () => {
      f.set(at, p.from);
      f.set(scratch, p.scratch);
      f.for(i, 0, n, 1, () => {
        const values: V128[] = [];
        for (let j = 0; j < n; j++) {
          values.push(f.local('v128', v128.load(at)));
          f.increment(at, p.element);
        }
        multiplyByPowers(f, AT, values).forEach((x, j) => f.emit(v128.store(scratch, x, j * 16)));
        f.increment(scratch, m * 16);
      });
      const columns: V128[][] = [];
      for (let j = 0; j < m; j++) {
        const values = Array.from({ length: n }, (_, v) => f.local('v128', v128.load(p.scratch, (v * m + j) * 16)));
        columns.push(multiplyByPowers(f, AT, values));
      }
      f.set(to, p.to);
      for (let row = 0; row < m; row++) {
        const values = columns.map((column) => f.local('v128', f32x4.add(column[row], bias)));
        if (m === 4) transpose4(f, values).forEach((x, u) => f.emit(v128.store(to, x, u * 16)));
        else {
          f.emit(v128.store(to, f32x4.shuffle([0, 4, 1, 5], values[0], values[1])));
          f.emit(v128.store(to, f32x4.shuffle([2, 6, 3, 7], values[0], values[1]), 16));
        }
        if (row < m - 1) f.increment(to, p.rowBytes);
      }
      f.increment(p.from, 16);
      f.increment(p.to, m * 16);
    });
  });
}

/** Weights are read by rows (output channels), four of them in the lanes. Strides in bytes; those of taps are negative where the filter is turned. */
export const WEIGHT_FIELDS = words('from fromGroup fromRow fromChannel tapH tapW rows channels to toGroup');

/** The task `weights`: G g Gᵀ of each filter, as [n · n][rows / 4][channels][4]. Its parts are groups times panels of four rows. */
export function emitWeightTransform(module: ModuleBuilder, { n, G }: Filtering): void {
  task(module, 'weights', WEIGHT_FIELDS, (f, read, begin, end) => {
    const p = read as unknown as Readonly<Record<(typeof WEIGHT_FIELDS)[number], I32>>;
    const [panels, group, panel, last, place, c, to, at, element] = locals(f, 'i32', 9);
    const rows = locals(f, 'i32', 4);
    f.set(panels, i32.shrU(i32.add(p.rows, 3), 2));
    f.set(element, i32.mul(i32.mul(panels, p.channels), 16));
    f.set(last, i32.sub(p.rows, 1));
    f.while(
      () => i32.ne(begin, end),
      () => {
        f.set(group, i32.divU(begin, panels));
        f.set(panel, i32.remU(begin, panels));
        rows.forEach((pointer, r) => {
          f.set(place, i32.add(i32.mul(panel, 4), r));
          f.set(pointer, i32.add(i32.add(p.from, i32.mul(group, p.fromGroup)), i32.mul(least(place, last), p.fromRow)));
        });
        f.set(to, i32.add(i32.add(p.to, i32.mul(group, p.toGroup)), i32.mul(panel, i32.mul(p.channels, 16))));
        f.for(c, 0, p.channels, 1, () => {
          const taps: V128[][] = [];
          for (let h = 0; h < 3; h++) {
            taps.push([]);
            for (let w = 0; w < 3; w++) {
              const offset = f.local('i32', i32.add(i32.mul(p.tapH, h), i32.mul(p.tapW, w)));
              const four = f.local('v128', v128.load32Splat(i32.add(rows[0], offset)));
              for (let r = 1; r < 4; r++) f.set(four, f32x4.replaceLane(r, four, f32.load(i32.add(rows[r], offset))));
              taps[h].push(four);
            }
          }
          const columns = [0, 1, 2].map((w) => multiply(f, G, [taps[0][w], taps[1][w], taps[2][w]]));
          f.set(at, to);
          for (let i = 0; i < n; i++) {
            for (const x of multiply(f, G, [columns[0][i], columns[1][i], columns[2][i]])) {
              f.emit(v128.store(at, x));
              f.increment(at, element);
            }
          }
          for (const pointer of rows) f.increment(pointer, p.fromChannel);
          f.increment(to, 16);
        });
        f.increment(begin, 1);
      },
    );
  });
}

/** The partial sums of [n · n][rows][channels padded to 4] and where the gradient goes. Strides in bytes. */
export const WEIGHT_GRAD_FIELDS = words(
  'partials partialBytes splits element partialRow rows channels',
  'out outGroup outRow outChannel tapH tapW',
);

/** The task `weightGrads`: Gᵀ dU G of the partial sums' sum. Its parts are groups times rows. */
export function emitWeightGradTransform(module: ModuleBuilder, { n, G }: Filtering): void {
  const GT = transpose(G);
  task(module, 'weightGrads', WEIGHT_GRAD_FIELDS, (f, read, begin, end) => {
    const p = read as unknown as Readonly<Record<(typeof WEIGHT_GRAD_FIELDS)[number], I32>>;
    const [group, row, from, to, c, at, partial, s, last] = locals(f, 'i32', 9);
    f.set(last, i32.sub(p.channels, 1));
    const rowSums = Array.from({ length: n }, () => locals(f, 'v128', 3));
    f.while(
      () => i32.ne(begin, end),
      () => {
        f.set(group, i32.divU(begin, p.rows));
        f.set(row, i32.remU(begin, p.rows));
        f.set(from, i32.add(p.partials, i32.add(i32.mul(i32.mul(group, p.splits), p.partialBytes), i32.mul(row, p.partialRow))));
        f.set(to, i32.add(p.out, i32.add(i32.mul(group, p.outGroup), i32.mul(row, p.outRow))));
        f.for(c, 0, p.channels, 4, () => {
          f.set(at, from);
          for (let i = 0; i < n; i++) {
            const values = locals(f, 'v128', n);
            for (const value of values) {
              f.set(value, v128.load(at));
              f.set(partial, at);
              f.for(s, 1, p.splits, 1, () => {
                f.increment(partial, p.partialBytes);
                f.set(value, f32x4.add(value, v128.load(partial)));
              });
              f.increment(at, p.element);
            }
            multiply(f, GT, values).forEach((x, w) => f.set(rowSums[i][w], x));
          }
          for (let w = 0; w < 3; w++) {
            multiply(
              f,
              GT,
              rowSums.map((sums) => sums[w]),
            ).forEach((x, h) => {
              f.set(at, i32.add(to, i32.add(i32.mul(p.tapH, h), i32.mul(p.tapW, w))));
              for (let lane = 0; lane < 4; lane++) {
                f.if(i32.leS(i32.add(c, lane), last), () => f.emit(f32.store(at, f32x4.extractLane(lane, x))));
                f.increment(at, p.outChannel);
              }
            });
          }
          f.increment(from, 16);
          f.increment(to, i32.mul(p.outChannel, 4));
        });
        f.increment(begin, 1);
      },
    );
  });
}
