/**
 * @file Which register tile is fastest here, by a short trial at first use: 4x8 in V8 on x86-64 and most others, 3x12 where the engine keeps twelve
 * sums in registers. Both add in the same order, so the choice changes no bit.
 */
import type { KernelHost } from '../code/kernel-host.js';
import { FLOAT32 } from './element.js';
import { Gemm, NO_BIAS, type Operand } from './gemm.js';
import type { TileShape } from './tile.js';

const SHAPES = [
  { rows: 4, vectors: 2 },
  { rows: 3, vectors: 3 },
] as const;

/** Of the trial's matrices: long enough to be measured, short enough not to be felt. */
const SIZE = 96;
const WARM_UP = 12;
const ROUNDS = 12;
/** How much faster another tile must be than the first. */
const MARGIN = 1.08;

const chosen = new WeakMap<KernelHost, TileShape>();

/** The tile of float32 products on `host`, tried once. */
export function tileOf(host: KernelHost): TileShape {
  let tile = chosen.get(host);
  if (tile === undefined) chosen.set(host, (tile = chooseTile(host, host.machine.fma)));
  return tile;
}

/** Tries the tiles on `host`; `fma` where multiply and add may be fused. */
function chooseTile(host: KernelHost, fma: boolean): TileShape {
  let best: TileShape = { ...SHAPES[0], fma };
  const bytes = SIZE * SIZE * 4;
  host.withMemory(3 * bytes, (address) => {
    const { f32 } = host.machine.linear;
    f32.fill(1, address / 4, (address + 2 * bytes) / 4);
    const square = (n: number): Operand => ({ address: address + n * bytes, row: SIZE * 4, column: 4, batch: 0 });
    const product = { m: SIZE, n: SIZE, k: SIZE, batch: 1, a: square(0), b: square(1), c: square(2), bias: NO_BIAS };
    const gemms = SHAPES.map((shape) => new Gemm(host, FLOAT32, { ...shape, fma }));
    const times = gemms.map(() => Infinity);
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      gemms.forEach((gemm, i) => {
        const start = performance.now();
        gemm.run(product);
        if (round >= 0) times[i] = Math.min(times[i], performance.now() - start);
      });
    }
    times.forEach((time, i) => {
      if (time * MARGIN < times[0]) best = { ...SHAPES[i], fma };
    });
  });
  return best;
}
