/** @file Running gradients by the weight: how images are shared out, sizes of chunks, tables. */
import { MULTIPLICATIONS_PER_NS } from '../matmul/gemm.js';
import { FLOAT32 } from '../matmul/element.js';
import { columnsOf, type TileShape } from '../matmul/tile.js';
import type { Kernel } from '../machine/machine.js';
import type { KernelHost } from '../code/kernel-host.js';
import { FEW_TAPS, roundUp } from './correlation.js';
import { type ImagePlanes, product, type Three } from './image-planes.js';
import { PaddedPlanes } from './padded-planes.js';
import { tapsOf } from './taps.js';
import { emitWeightGrad } from './weight-grad-module.js';

/** Positions of a chunk: a panel of that many fits the first-level cache. */
const CHUNK = 224;
/** Partial sums are kept for each of so many shares of the images, so far as they take no more than this. */
const MOST_SPLITS = 8;
const PARTIAL_BYTES = 16 << 20;

/** How many partial sums a gradient of `bytes` is made of: a matter of sizes alone, never of threads. */
export function splitsOf(images: number, bytes: number): number {
  return Math.max(1, Math.min(images, MOST_SPLITS, Math.floor(PARTIAL_BYTES / bytes)));
}

export class WeightGrad {
  readonly #weightGrad: Kernel;
  readonly #few: Kernel;
  readonly #collect: Kernel;

  constructor(
    readonly host: KernelHost,
    readonly tile: TileShape,
  ) {
    const tasks = host.module(`weight-grad ${tile.rows}x${tile.vectors}${tile.fma ? ' fma' : ''}`, (module) =>
      emitWeightGrad(module, tile),
    );
    this.#weightGrad = tasks('weightGrad');
    this.#few = tasks('weightGradFew');
    this.#collect = tasks('collect');
  }

  run(
    input: ImagePlanes,
    gradOut: ImagePlanes,
    gradWeight: ImagePlanes,
    [stride, padding, dilation]: readonly [Three, Three, Three],
    groups: number,
  ): void {
    const { host, tile } = this;
    const rows = gradOut.C / groups;
    const channels = input.C / groups;
    const taps = tapsOf(gradWeight, (tap, d) => tap * dilation[d] - padding[d]);
    const planes = new PaddedPlanes(input, channels, { positions: gradOut.sizes, step: stride, pad: taps.pad, reach: taps.reach });
    const k = channels * taps.list.length;
    const columns = columnsOf(tile, FLOAT32);
    const partialRow = roundUp(k, 4) * 4;
    const partialBytes = rows * partialRow;
    const splits = splitsOf(input.N, partialBytes * groups);
    host.withMemory(8 * k + 128 + groups * splits * partialBytes, (tables) => {
      const partials = roundUp(tables + 8 * k, 64);
      const ints = host.machine.linear.i32;
      let entry = tables >>> 2;
      for (let c = 0; c < channels; c++) {
        const channel = planes.offset(c, [0, 0, 0]);
        for (const tap of taps.list) {
          ints[entry + k] = c * gradWeight.strideC + tap.weight;
          ints[entry++] = channel + planes.offset(0, tap.shift);
        }
      }
      const gridRow = roundUp(planes.flat, 4) * 4 + 16;
      const few = k <= FEW_TAPS;
      // The few read all positions at once: they pack nothing.
      const chunk = few ? planes.flat : Math.min(CHUNK, planes.flat);
      const stripAt = 256;
      const gridAt = stripAt + 1024;
      const leftAt = roundUp(gridAt + rows * gridRow + 64, 64);
      const rightAt = leftAt + (few ? 0 : roundUp(roundUp(rows, tile.rows) * chunk * 4 + 64, 64));
      const planesAt = rightAt + (few ? 0 : roundUp(roundUp(k, columns) * chunk * 4 + 64, 64));
      host.launch(
        few ? this.#few : this.#weightGrad,
        [
          [input.N, splits, rows, k, tables, partials, partialRow, partialBytes],
          [gradOut.address, gradOut.strideN, gradOut.strideC * rows, gradOut.strideC, ...gradOut.strides, ...gradOut.sizes, planes.pitch],
          [chunk, gridAt, gridRow, leftAt, rightAt, planesAt, stripAt],
          ...planes.fields(channels),
        ],
        groups * splits,
        planesAt + planes.bytes,
        (input.N * groups * rows * k * product(gradOut.sizes)) / MULTIPLICATIONS_PER_NS,
      );
      const outGroup = rows * gradWeight.strideN;
      const collect = [
        splits,
        rows,
        k,
        tables + 4 * k,
        partials,
        partialRow,
        partialBytes,
        gradWeight.address,
        outGroup,
        gradWeight.strideN,
      ];
      host.launch(this.#collect, collect, groups * rows, 0, groups * rows * k * splits);
    });
  }
}
