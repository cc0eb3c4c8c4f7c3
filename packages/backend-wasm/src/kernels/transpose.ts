/**
 * @file Copying with two dims exchanged: the source is contiguous along i, the target along j. Tiles of 64 by 64 elements go through a scratch that
 * stays in the nearest cache, since rows of either side that lie a power of two apart fall on the same few places of it.
 */
import { f32x4, type FunctionBuilder, i32, i64, i32x4, i64x2, type Local, type ModuleBuilder, select, v128 } from '../assembler/index.js';
import type { Kernel, Machine } from '../machine/machine.js';
import { ARGUMENTS } from '../memory/linear-memory.js';

type I32 = Local<'i32'>;

const TILE = 64;
/** Words of the arguments: addresses, sizes, strides in bytes, tiles along i, scratch. */
const SOURCE = 0;
const TARGET = 1;
const SIZE_I = 2;
const SIZE_J = 3;
const SOURCE_STRIDE = 4;
const TARGET_STRIDE = 5;
const TILES_I = 6;
const SCRATCH = 7;

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

  #kernel(elementSize: number): Kernel {
    let kernel = this.#kernels.get(elementSize);
    if (kernel === undefined) {
      const module = this.machine.newModule();
      emitTranspose(module, elementSize);
      this.#kernels.set(elementSize, (kernel = this.machine.compile(module).kernel('run')));
    }
    return kernel;
  }

  /** Copies sizeI by sizeJ elements of so many bytes each. */
  run(elementSize: number, { source, target, sizeI, sizeJ, sourceStride, targetStride }: Transposition): void {
    const { machine } = this;
    const kernel = this.#kernel(elementSize);
    const scratchBytes = TILE * TILE * elementSize * machine.threadCount;
    const scratch = machine.memory.scratch(scratchBytes);
    const words = machine.linear.i32;
    const at = ARGUMENTS / 4;
    const tilesI = Math.ceil(sizeI / TILE);
    words[at + SOURCE] = source;
    words[at + TARGET] = target;
    words[at + SIZE_I] = sizeI;
    words[at + SIZE_J] = sizeJ;
    words[at + SOURCE_STRIDE] = sourceStride;
    words[at + TARGET_STRIDE] = targetStride;
    words[at + TILES_I] = tilesI;
    words[at + SCRATCH] = scratch;
    machine.parallel(kernel, tilesI * Math.ceil(sizeJ / TILE), 8, sizeI * sizeJ);
    machine.memory.endScratch(scratch, scratchBytes);
  }
}

function emitTranspose(module: ModuleBuilder, size: number): void {
  module.function(
    'run',
    { args: 'i32', begin: 'i32', end: 'i32', thread: 'i32' },
    'void',
    (f, { args, begin, end, thread }) => {
      const word = (n: number): I32 => f.local('i32', i32.load(args, 4 * n));
      const [source, target, sizeI, sizeJ] = [word(SOURCE), word(TARGET), word(SIZE_I), word(SIZE_J)];
      const [sourceStride, targetStride, tilesI] = [word(SOURCE_STRIDE), word(TARGET_STRIDE), word(TILES_I)];
      const scratch = f.local('i32', i32.add(i32.load(args, 4 * SCRATCH), i32.mul(thread, TILE * TILE * size)));
      const [i, j, n, k] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
      const [from, to, at] = [f.local('i32'), f.local('i32'), f.local('i32')];
      const least = (local: I32, value: I32): void => f.set(local, select(i32.ltU(value, TILE), value, i32.const(TILE)));
      const [countI, countJ] = [f.local('i32'), f.local('i32')];
      f.doWhile(
        () => {
          // Tiles one below the other: neighbours in the source's rows.
          f.set(j, i32.mul(i32.divU(begin, tilesI), TILE));
          f.set(i, i32.mul(i32.remU(begin, tilesI), TILE));
          f.set(n, i32.sub(sizeI, i));
          least(countI, n);
          f.set(n, i32.sub(sizeJ, j));
          least(countJ, n);
          const tile = f.local('i32', i32.add(source, i32.add(i32.mul(i, size), i32.mul(j, sourceStride))));
          f.set(from, tile);
          f.set(k, 0);
          const rows = size === 4 ? 4 : size === 8 ? 2 : 1;
          // Rows j of the source become columns j of the scratch, several at once where whole ones are there.
          if (rows > 1) {
            const whole = f.local('i32', i32.and(countJ, -rows));
            f.while(
              () => i32.ltU(k, whole),
              () => {
                blockRows(f, size, from, sourceStride, i32.add(scratch, i32.mul(k, size)), countI);
                f.increment(k, rows);
                f.increment(from, i32.mul(sourceStride, rows));
              },
            );
          }
          f.while(
            () => i32.ltU(k, countJ),
            () => {
              f.set(at, i32.add(scratch, i32.mul(k, size)));
              const p = f.local('i32', from);
              const stop = f.local('i32', i32.add(from, i32.mul(countI, size)));
              f.for(p, p, stop, size, () => {
                copyOne(f, size, p, at);
                f.increment(at, TILE * size);
              });
              f.increment(k, 1);
              f.increment(from, sourceStride);
            },
          );
          // Rows i of the scratch are pieces of rows i of the target.
          f.set(at, scratch);
          f.set(to, i32.add(target, i32.add(i32.mul(j, size), i32.mul(i, targetStride))));
          f.for(k, 0, countI, 1, () => {
            copyRun(f, at, to, countJ, size);
            f.increment(at, TILE * size);
            f.increment(to, targetStride);
          });
        },
        () => i32.ltU(begin.tee(i32.add(begin, 1)), end),
      );
    },
    { export: true },
  );
}

function copyOne(f: FunctionBuilder, size: number, from: I32, to: I32): void {
  if (size === 8) f.emit(i64.store(to, i64.load(from)));
  else if (size === 4) f.emit(i32.store(to, i32.load(from)));
  else if (size === 2) f.emit(i32.store16(to, i32.load16U(from)));
  else f.emit(i32.store8(to, i32.load8U(from)));
}

/** Four rows of 4 bytes an element, or two of 8: squares are turned in registers. Reads past the end of rows, and writes into the scratch's unused places. */
function blockRows(f: FunctionBuilder, size: number, from: I32, stride: I32, column: ReturnType<typeof i32.add>, count: I32): void {
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
      ].forEach((row, r) => f.emit(v128.store(to, row, r * TILE * size)));
    } else {
      f.emit(v128.store(to, i64x2.shuffle([0, 2], v[0], v[1])), v128.store(to, i64x2.shuffle([1, 3], v[0], v[1]), TILE * size));
    }
    f.increment(to, rows * TILE * size);
    for (let r = 1; r < rows; r++) f.increment(p[r], 16);
    f.brIf(again, i32.ltU(p[0].tee(i32.add(p[0], 16)), stop));
  });
}

/** Copies up to 64 elements. */
function copyRun(f: FunctionBuilder, from: I32, to: I32, count: I32, size: number): void {
  const a = f.local('i32', from);
  const b = f.local('i32', to);
  const n = f.local('i32', i32.mul(count, size));
  f.while(
    () => i32.geU(n, 64),
    () => {
      for (let k = 0; k < 64; k += 16) f.emit(v128.store(b, v128.load(a, k), k));
      f.increment(a, 64);
      f.increment(b, 64);
      f.increment(n, -64);
    },
  );
  f.while(
    () => n,
    () => {
      copyOne(f, size, a, b);
      f.increment(a, size);
      f.increment(b, size);
      f.increment(n, -size);
    },
  );
}
