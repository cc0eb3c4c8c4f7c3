/**
 * @file Which register tile is fastest here, by a short trial at first use: 4x8 in V8 on x86-64 and most others, 3x12 where the engine keeps twelve
 * sums in registers. Both add in the same order, so the choice changes no bit.
 *
 * Engines run new code in a slow form first and replace it when a compiler on another thread has finished, which takes 1 ms or, on a busy machine,
 * 100. Times of slow forms say nothing of the fast ones: the trial counts only when both tiles got faster before its eyes. Otherwise, and when in
 * doubt, the first tile is taken.
 */
import type { KernelHost } from '../code/kernel-host.js';
import { call, task, words } from '../code/emit.js';
import { FLOAT32 } from './element.js';
import { columnsOf, emitPacked, type TileShape } from './tile.js';

const SHAPES = [
  { rows: 4, vectors: 2 },
  { rows: 3, vectors: 3 },
] as const;

/** Of the trial's product: whole tiles of both shapes, 50 µs. */
const M = 48;
const N = 96;
const K = 256;

/** By so much a compiled tile is faster than before it was: 3 to 5 times in V8. */
const COMPILED = 2;
/** How long compilers are waited for, in ms of trial. */
const PATIENCE = 10;
const ROUNDS = 5;
const MOST_ROUNDS = 20;
/** How much faster another tile must be than the first. */
const MARGIN = 1.08;
/** Closer than this to the margin, more rounds decide. */
const DOUBT = 1.04;
/** What no tile can gain: the other one is not compiled yet, or the machine was busy. */
const TOO_GOOD = 1.6;
/** Clocks that advance by more ms than this are too coarse; browsers give pages that are not isolated such. */
const RESOLUTION = 0.02;

const chosen = new WeakMap<KernelHost, TileShape>();

/** The tile of float32 products on `host`, tried once. */
export function tileOf(host: KernelHost): TileShape {
  let tile = chosen.get(host);
  if (tile === undefined) chosen.set(host, (tile = chooseTile(host, host.machine.fma)));
  return tile;
}

/** Tries the tiles on `host`; `fma` where multiply and add may be fused. */
function chooseTile(host: KernelHost, fma: boolean): TileShape {
  const tiles = SHAPES.map((shape): TileShape => ({ ...shape, fma }));
  if (clockStep() > RESOLUTION) return tiles[0];
  const bytes = (M * K + K * N + M * N) * 4 + 256;
  let best = 0;
  host.withMemory(bytes, (a) => {
    const b = a + M * K * 4;
    const c = b + K * N * 4;
    const strip = c + M * N * 4;
    host.machine.linear.f32.fill(1, a / 4, c / 4);
    best = fastest(
      tiles.map((tile) => {
        const kernel = trialOf(host, tile);
        return () => {
          const start = performance.now();
          host.launch(kernel, [M, N, K, a, b, c, N * 4, 4, 1, 0, 0, 0, strip], 1, 0, 0);
          return performance.now() - start;
        };
      }),
    );
  });
  return tiles[best];
}

/** The packed kernel of a tile, in a module of its own: small, so that it is soon compiled. */
function trialOf(host: KernelHost, tile: TileShape): ReturnType<ReturnType<KernelHost['module']>> {
  const fields = words('m n k a b c cRow cColumn accumulate bias biasRow biasColumn strip');
  const kernels = host.module(`tile trial ${tile.rows}x${columnsOf(tile, FLOAT32)}`, (module) => {
    const packed = emitPacked(module, FLOAT32, tile);
    task(module, 'trial', fields, (f, p) => {
      f.emit(call(packed, p.m, p.n, p.k, p.a, p.b, p.c, p.cRow, p.cColumn, p.accumulate, p.bias, p.biasRow, p.biasColumn, p.strip));
    });
  });
  return kernels('trial');
}

/** By how many ms the clock advances; what it takes to find out is one step of it. */
function clockStep(): number {
  const start = performance.now();
  let now = start;
  while (now === start) now = performance.now();
  return now - start;
}

/**
 * The candidate that is clearly the fastest; the first, where none is or it cannot be told. Each call of a candidate runs it once and returns how
 * long that took, in ms.
 */
export function fastest(candidates: readonly (() => number)[]): number {
  let spent = 0;
  const sample = (times: number[]): void =>
    candidates.forEach((run, i) => {
      const time = run();
      spent += time;
      times[i] = Math.min(times[i], time);
    });
  const noTimes = (): number[] => candidates.map(() => Infinity);

  const slow = noTimes();
  sample(slow);
  sample(slow);
  const compiled = noTimes();
  while (!compiled.every((time, i) => time * COMPILED < slow[i])) {
    if (spent > PATIENCE) return 0;
    sample(compiled);
  }

  const times = noTimes();
  const gain = (): number => times[0] / Math.min(...times);
  const doubtful = (): boolean => gain() > MARGIN / DOUBT && gain() < MARGIN * DOUBT;
  for (let round = 0; round < ROUNDS || (round < MOST_ROUNDS && doubtful()); round++) sample(times);
  return gain() > MARGIN && gain() < TOO_GOOD ? times.indexOf(Math.min(...times)) : 0;
}
