/**
 * @file Copying with two dims exchanged: the source is contiguous along i, the target along j. Tiles go through a scratch that stays in the nearest
 * cache, since rows of either side that lie a power of two apart fall on the same few places of it.
 *
 * A wide tile reads 256 elements of each of a few rows of the source, and writes one cache line to each of 256 rows of the target. Long runs on one
 * side are what the processor fetches ahead; of short runs (4 lines of 64 rows on both sides) it fetches too much of each. 2048x2048 float32: 1.8 to
 * 2.3 ms, and 2.9 to 4.1 by tiles of 64x64. Tiles follow one another along j, in strips so short that the pages of all their rows stay known to the
 * processor. Few elements along i make narrow tiles.
 */
import { f32x4, type FunctionBuilder, i32, i64, i32x4, i64x2, type Local, type ModuleBuilder, select, v128 } from '../assembler/index.js';
import type { Kernel, Machine } from '../machine/machine.js';
import { ARGUMENTS } from '../memory/linear-memory.js';

type I32 = Local<'i32'>;

/** Elements of a tile along i. */
const WIDE = 256;
const NARROW = 64;
/** Bytes of a tile along j, for each of its elements along i: a cache line, and four. */
const lineOf = (width: number): number => (width === WIDE ? 64 : 256);
/** Elements of a strip of tiles along j, at most. */
const STRIP = 512;
/** Words of the arguments: addresses, sizes, strides in bytes, tiles along i, elements of a strip, scratch. */
const SOURCE = 0;
const TARGET = 1;
const SIZE_I = 2;
const SIZE_J = 3;
const SOURCE_STRIDE = 4;
const TARGET_STRIDE = 5;
const TILES_I = 6;
const STRIP_J = 7;
const SCRATCH = 8;

export interface Transposition {
  readonly source: number;
  readonly target: number;
  /** Along i: contiguous in the source. */
  readonly sizeI: number;
  /** Along j: contiguous in the target. */
  readonly sizeJ: number;
  /** Bytes between neighbours along j in the source. */
  readonly sourceStride: number;
  /** Bytes between neighbours along i in the target. */
  readonly targetStride: number;
}

export class Transposer {
  readonly #kernels = new Map<number, Kernel>();

  constructor(readonly machine: Machine) {}

  #kernel(elementSize: number, width: number): Kernel {
    const key = elementSize * 1024 + width;
    let kernel = this.#kernels.get(key);
    if (kernel === undefined) {
      const module = this.machine.newModule();
      emitTranspose(module, elementSize, width);
      this.#kernels.set(key, (kernel = this.machine.compile(module).kernel('run')));
    }
    return kernel;
  }

  /** Copies sizeI by sizeJ elements of so many bytes each. */
  run(elementSize: number, { source, target, sizeI, sizeJ, sourceStride, targetStride }: Transposition): void {
    const { machine } = this;
    const width = sizeI > NARROW ? WIDE : NARROW;
    const line = lineOf(width);
    const kernel = this.#kernel(elementSize, width);
    const scratchBytes = width * line * machine.threadCount;
    const scratch = machine.memory.scratch(scratchBytes);
    const words = machine.linear.i32;
    const at = ARGUMENTS / 4;
    const tilesI = Math.ceil(sizeI / width);
    const strip = stripOf(sizeJ, tilesI, line / elementSize, machine.threadsFor(sizeI * sizeJ));
    words[at + SOURCE] = source;
    words[at + TARGET] = target;
    words[at + SIZE_I] = sizeI;
    words[at + SIZE_J] = sizeJ;
    words[at + SOURCE_STRIDE] = sourceStride;
    words[at + TARGET_STRIDE] = targetStride;
    words[at + TILES_I] = tilesI;
    words[at + STRIP_J] = strip;
    words[at + SCRATCH] = scratch;
    machine.parallel(kernel, tilesI * Math.ceil(sizeJ / strip), 1, sizeI * sizeJ);
    machine.memory.endScratch(scratch, scratchBytes);
  }
}

/** How long strips are along j, in whole tiles, so that each of several threads has some. */
function stripOf(sizeJ: number, tilesI: number, tile: number, threads: number): number {
  let strips = Math.ceil(sizeJ / STRIP);
  if (threads > 1) strips = Math.max(strips, Math.ceil((4 * threads) / tilesI));
  return Math.ceil(sizeJ / strips / tile) * tile;
}

function emitTranspose(module: ModuleBuilder, size: number, width: number): void {
  const line = lineOf(width);
  module.function(
    'run',
    { args: 'i32', begin: 'i32', end: 'i32', thread: 'i32' },
    'void',
    (f, { args, begin, end, thread }) => {
      const word = (n: number): I32 => f.local('i32', i32.load(args, 4 * n));
      const [source, target, sizeI, sizeJ] = [word(SOURCE), word(TARGET), word(SIZE_I), word(SIZE_J)];
      const [sourceStride, targetStride, tilesI, strip] = [word(SOURCE_STRIDE), word(TARGET_STRIDE), word(TILES_I), word(STRIP_J)];
      const scratch = f.local('i32', i32.add(i32.load(args, 4 * SCRATCH), i32.mul(thread, width * line)));
      const [i, j, left, from, to] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
      const [countI, countJ] = [f.local('i32'), f.local('i32')];
      const least = (local: I32, a: I32, b: I32): void => f.set(local, select(i32.ltU(a, b), a, b));
      const [most, whole] = [f.local('i32', width), f.local('i32', line / size)];
      // A unit of work is a strip: tiles along j, which share the rows of the target.
      f.doWhile(
        () => {
          f.set(i, i32.mul(i32.remU(begin, tilesI), width));
          f.set(j, i32.mul(i32.divU(begin, tilesI), strip));
          f.set(left, i32.sub(sizeI, i));
          least(countI, left, most);
          f.set(left, i32.sub(sizeJ, j));
          least(left, left, strip);
          f.set(from, i32.add(source, i32.add(i32.mul(i, size), i32.mul(j, sourceStride))));
          f.set(to, i32.add(target, i32.add(i32.mul(j, size), i32.mul(i, targetStride))));
          f.doWhile(
            () => {
              least(countJ, left, whole);
              readRows(f, size, { from, stride: sourceStride, countI, countJ, scratch, line });
              writeRows(f, size, { to, stride: targetStride, countI, countJ, scratch, line });
              f.increment(to, line);
            },
            () => left.tee(i32.sub(left, countJ)),
          );
        },
        () => i32.ltU(begin.tee(i32.add(begin, 1)), end),
      );
    },
    { export: true },
  );
}

interface Tile {
  readonly stride: I32;
  readonly countI: I32;
  readonly countJ: I32;
  readonly scratch: I32;
  /** Bytes of a row of it. */
  readonly line: number;
}

/** Rows j of the source become columns j of the scratch, several at once where whole ones are there. `from` ends at the next tile's first row. */
function readRows(f: FunctionBuilder, size: number, { from, stride, countI, countJ, scratch, line }: Tile & { readonly from: I32 }): void {
  const column = f.local('i32', scratch);
  const rows = size === 4 ? 4 : size === 8 ? 2 : 1;
  if (rows > 1) {
    const whole = f.local('i32', i32.add(scratch, i32.mul(i32.and(countJ, -rows), size)));
    f.while(
      () => i32.ltU(column, whole),
      () => {
        blockRows(f, size, from, stride, column, countI, line);
        f.increment(column, rows * size);
        f.increment(from, i32.mul(stride, rows));
      },
    );
  }
  const end = f.local('i32', i32.add(scratch, i32.mul(countJ, size)));
  const [at, p] = [f.local('i32'), f.local('i32')];
  f.while(
    () => i32.ltU(column, end),
    () => {
      f.set(at, column);
      const stop = f.local('i32', i32.add(from, i32.mul(countI, size)));
      f.for(p, from, stop, size, () => {
        copyOne(f, size, p, at);
        f.increment(at, line);
      });
      f.increment(column, size);
      f.increment(from, stride);
    },
  );
}

/** Rows i of the scratch are pieces of rows i of the target. */
function writeRows(f: FunctionBuilder, size: number, { to, stride, countI, countJ, scratch, line }: Tile & { readonly to: I32 }): void {
  const at = f.local('i32', scratch);
  const end = f.local('i32', i32.add(scratch, i32.mul(countI, line)));
  const row = f.local('i32', to);
  f.if(
    i32.eq(countJ, line / size),
    () =>
      f.for(at, at, end, line, () => {
        for (let k = 0; k < line; k += 16) f.emit(v128.store(row, v128.load(at, k), k));
        f.increment(row, stride);
      }),
    () => {
      const [a, b] = [f.local('i32'), f.local('i32')];
      f.for(at, at, end, line, () => {
        f.set(b, row);
        const stop = f.local('i32', i32.add(at, i32.mul(countJ, size)));
        f.for(a, at, stop, size, () => {
          copyOne(f, size, a, b);
          f.increment(b, size);
        });
        f.increment(row, stride);
      });
    },
  );
}

function copyOne(f: FunctionBuilder, size: number, from: I32, to: I32): void {
  if (size === 8) f.emit(i64.store(to, i64.load(from)));
  else if (size === 4) f.emit(i32.store(to, i32.load(from)));
  else if (size === 2) f.emit(i32.store16(to, i32.load16U(from)));
  else f.emit(i32.store8(to, i32.load8U(from)));
}

/** Four rows of 4 bytes an element, or two of 8: squares are turned in registers. Reads past the end of rows, and writes into the scratch's unused places. */
function blockRows(f: FunctionBuilder, size: number, from: I32, stride: I32, column: I32, count: I32, line: number): void {
  const rows = size === 4 ? 4 : 2;
  const p = Array.from({ length: rows }, () => f.local('i32'));
  f.set(p[0], from);
  for (let r = 1; r < rows; r++) f.set(p[r], i32.add(p[r - 1], stride));
  const to = f.local('i32', column);
  const stop = f.local('i32', i32.add(from, i32.mul(count, size)));
  f.loop((again) => {
    const v = p.map((q) => f.local('v128', v128.load(q)));
    if (size === 4) {
      const [a, b] = [f.local('v128', f32x4.shuffle([0, 4, 1, 5], v[0], v[1])), f.local('v128', f32x4.shuffle([0, 4, 1, 5], v[2], v[3]))];
      const [c, d] = [f.local('v128', f32x4.shuffle([2, 6, 3, 7], v[0], v[1])), f.local('v128', f32x4.shuffle([2, 6, 3, 7], v[2], v[3]))];
      [
        i32x4.shuffle([0, 1, 4, 5], a, b),
        i32x4.shuffle([2, 3, 6, 7], a, b),
        i32x4.shuffle([0, 1, 4, 5], c, d),
        i32x4.shuffle([2, 3, 6, 7], c, d),
      ].forEach((row, r) => f.emit(v128.store(to, row, r * line)));
    } else {
      f.emit(v128.store(to, i64x2.shuffle([0, 2], v[0], v[1])), v128.store(to, i64x2.shuffle([1, 3], v[0], v[1]), line));
    }
    f.increment(to, rows * line);
    for (let r = 1; r < rows; r++) f.increment(p[r], 16);
    f.brIf(again, i32.ltU(p[0].tee(i32.add(p[0], 16)), stop));
  });
}
