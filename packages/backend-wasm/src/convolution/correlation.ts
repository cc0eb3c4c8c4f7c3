/** @file Running correlations: sizes of chunks and blocks, tables of offsets, launches. */
import type { KernelHost, Task } from '../provisional/host.js';
import { FLOAT32 } from '../matmul/element.js';
import { columnsOf, type TileShape } from '../matmul/tile.js';
import { correlationModule } from './correlation-module.js';
import { PLANE_POSITIONS } from './single-channel.js';
import type { ImagePlanes, Three } from './image-planes.js';
import { PaddedPlanes } from './padded-planes.js';
import type { Taps } from './taps.js';

/** out[n, g, r, position] = Σ over channels c and taps of weight[g][r][c][tap] · from[n, g, c, position · step + tap's shift] + bias[g, r]. */
export interface Correlation {
  readonly from: ImagePlanes;
  readonly to: ImagePlanes;
  readonly groups: number;
  /** Output channels of a group, and where the weights of each row and channel lie (bytes). */
  readonly rows: number;
  readonly weights: { readonly address: number; readonly row: number; readonly channel: number; readonly group: number };
  readonly taps: Taps;
  readonly step: Three;
  /** Address and stride, or an address of 0. */
  readonly bias: { readonly address: number; readonly stride: number };
}

/** Results that are made before they are taken to their places, in bytes: they should stay in the second-level cache. */
const SUMS_BYTES = 192 * 1024;
/** Weights up to this many bytes are read again for each panel of patches; larger ones are blocked. */
const STREAMED_WEIGHTS = 320 * 1024;
/** One panel of this many k's fits the first-level cache. */
const LONG_PANEL = 768;
const K_BLOCK = 256;
const BLOCK_PANELS = 32;
/** Of fewer k's, patches are not packed. */
const FEW_TAPS = 28;

export class Correlator {
  readonly #pack: Task;
  readonly #kinds: Readonly<Record<'patches' | 'few' | 'single', Task>>;

  constructor(
    readonly host: KernelHost,
    readonly tile: TileShape,
  ) {
    const tasks = host.module(`correlation ${tile.rows}x${tile.vectors}${tile.fma ? ' fma' : ''}`, () => correlationModule(tile));
    this.#pack = tasks('packWeights');
    this.#kinds = { patches: tasks('patches'), few: tasks('few'), single: tasks('single') };
  }

  run({ from, to, groups, rows, weights, taps, step, bias }: Correlation): void {
    const { host, tile } = this;
    const columns = columnsOf(tile, FLOAT32);
    const channels = from.C / groups;
    const planes = new PaddedPlanes(from, channels, { positions: to.sizes, step, pad: taps.pad, reach: taps.reach });
    const k = channels * taps.list.length;
    const kind = channels === 1 && rows < tile.rows ? 'single' : k <= FEW_TAPS ? 'few' : 'patches';
    const streamed = kind !== 'patches' || (k <= LONG_PANEL && rows * k * 4 <= STREAMED_WEIGHTS);
    const kBlock = streamed ? Math.max(k, 1) : K_BLOCK;
    const paddedRows = roundUp(rows, tile.rows);

    // Shared by all tasks: tables of offsets (into planes, into weights), and packed weights.
    const groupBytes = paddedRows * k * 4;
    const tables = host.shared(8 * k + 64 + groups * groupBytes);
    const weightOffsets = tables + 4 * k;
    const packedAt = roundUp(tables + 8 * k, 64);
    const ints = host.ints;
    let entry = tables >>> 2;
    for (let c = 0; c < channels; c++) {
      const channel = planes.offset(c, [0, 0, 0]);
      for (const tap of taps.list) {
        ints[entry + k] = c * weights.channel + tap.weight;
        ints[entry++] = channel + planes.offset(0, tap.shift);
      }
    }
    if (k > 0) {
      const packing = [weights.address, weights.row, weights.group, rows, weightOffsets, k, kBlock, packedAt, groupBytes];
      host.launch(this.#pack, packing, groups, 0);
    }

    const unit = kind === 'single' ? PLANE_POSITIONS : columns;
    const flat = roundUp(planes.flat, unit);
    let chunk = Math.max(unit, Math.floor(SUMS_BYTES / (paddedRows * 4) / unit) * unit);
    chunk = Math.min(chunk, flat);
    const panels = streamed ? 1 : Math.min(BLOCK_PANELS, chunk / columns);
    const units = to.sizes[0] * Math.ceil(planes.flat / chunk);
    const whole = from.N * groups;
    const parts = Math.max(1, Math.min(units, host.threads === 1 ? 1 : Math.ceil((2 * host.threads) / whole)));

    // Rows that lie a multiple of 4096 bytes apart would share cache lines.
    const sumsRow = chunk * 4 + (chunk % 1024 === 0 ? 64 : 0);
    const stripAt = 0;
    const biasAt = 1024;
    const panelsAt = biasAt + roundUp(paddedRows * 4 + 256, 64);
    const sumsAt = panelsAt + roundUp(panels * columns * kBlock * 4 + 64, 64);
    const planesAt = sumsAt + roundUp(paddedRows * sumsRow + 64, 64);
    host.launch(
      this.#kinds[kind],
      [
        ...[groups, rows, k, tables, packedAt, groupBytes, bias.address, bias.stride],
        ...[to.address, to.strideN, to.strideC * rows, to.strideC, ...to.strides, ...to.sizes, planes.pitch],
        ...[chunk, kBlock, panels, parts, planesAt, panelsAt, sumsAt, sumsRow, biasAt, stripAt],
        ...planes.fields(channels),
      ],
      whole * parts,
      planesAt + planes.bytes,
    );
  }
}

export const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to;
