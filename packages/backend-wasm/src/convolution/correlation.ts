/** @file Running correlations: sizes of chunks and blocks, tables of offsets, launches. */
import type { Kernel } from '../machine/machine.js';
import type { KernelHost } from '../code/kernel-host.js';
import { MULTIPLICATIONS_PER_NS } from '../matmul/gemm.js';
import { FLOAT32 } from '../matmul/element.js';
import { columnsOf, type TileShape } from '../matmul/tile.js';
import { emitCorrelation } from './correlation-module.js';
import { PLANE_POSITIONS } from './single-channel.js';
import { type ImagePlanes, product, type Three } from './image-planes.js';
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
export const FEW_TAPS = 28;

export class Correlator {
  readonly #pack: Kernel;
  readonly #kinds: Readonly<Record<Kind, Kernel>>;

  constructor(
    readonly host: KernelHost,
    readonly tile: TileShape,
  ) {
    const tasks = host.module(`correlation ${tile.rows}x${tile.vectors}${tile.fma ? ' fma' : ''}`, (module) =>
      emitCorrelation(module, tile),
    );
    this.#pack = tasks('packWeights');
    this.#kinds = {
      patches: tasks('patches'),
      few: tasks('few'),
      single: tasks('single'),
      single3x3: tasks('single3x3'),
      direct3x3: tasks('direct3x3'),
    };
  }

  run(job: Correlation): void {
    const { from, to, groups, rows, taps, step } = job;
    const channels = from.C / groups;
    const planes = new PaddedPlanes(from, channels, { positions: to.sizes, step, pad: taps.pad, reach: taps.reach });
    const k = channels * taps.list.length;
    const kind = this.#kindOf(job, channels, k);
    const groupBytes = roundUp(rows, this.tile.rows) * k * 4;
    // Shared by all threads: tables of offsets (into planes, into weights), and packed weights.
    this.host.withMemory(8 * k + 128 + groups * groupBytes, (tables) => {
      const packedAt = roundUp(tables + 8 * k, 64);
      this.#writeOffsets(job, planes, tables, k);
      this.#launch(job, planes, kind, k, tables, packedAt, groupBytes);
    });
  }

  #kindOf({ from, to, rows, taps: { list, pad, reach }, step }: Correlation, channels: number, k: number): Kind {
    if (channels > 1 || rows >= this.tile.rows) return k <= FEW_TAPS ? 'few' : 'patches';
    const threeByThree = list.length === 9 && product(step) === 1 && reach[0] === 0 && reach[1] === 2 && reach[2] === 2;
    const [depth, height, width] = to.sizes;
    if (!(threeByThree && depth === 1 && height >= 2 && width >= 4 && to.strides[2] === 4)) return 'single';
    const sameSize = pad[1] === 1 && pad[2] === 1 && from.sizes[1] === height && from.sizes[2] === width;
    return sameSize && width >= 5 && from.strides[2] === 4 ? 'direct3x3' : 'single3x3';
  }

  #writeOffsets({ from, groups, weights, taps }: Correlation, planes: PaddedPlanes, tables: number, k: number): void {
    const { i32 } = this.host.machine.linear;
    let entry = tables >>> 2;
    for (let c = 0; c < from.C / groups; c++) {
      const channel = planes.offset(c, [0, 0, 0]);
      for (const tap of taps.list) {
        i32[entry + k] = c * weights.channel + tap.weight;
        i32[entry++] = channel + planes.offset(0, tap.shift);
      }
    }
  }

  #launch(job: Correlation, planes: PaddedPlanes, kind: Kind, k: number, tables: number, packedAt: number, groupBytes: number): void {
    const { from, to, groups, rows, weights, bias } = job;
    const { host, tile } = this;
    const columns = columnsOf(tile, FLOAT32);
    const streamed = kind !== 'patches' || (k <= LONG_PANEL && rows * k * 4 <= STREAMED_WEIGHTS);
    const kBlock = streamed ? Math.max(k, 1) : K_BLOCK;
    const paddedRows = roundUp(rows, tile.rows);
    if (k > 0) {
      const packing = [weights.address, weights.row, weights.group, rows, tables + 4 * k, k, kBlock, packedAt, groupBytes];
      host.launch(this.#pack, packing, groups, 0, groups * rows * k);
    }

    const threeByThree = kind === 'single3x3' || kind === 'direct3x3';
    const unit = threeByThree || kind === 'single' ? PLANE_POSITIONS : columns;
    const chunk = Math.min(roundUp(planes.flat, unit), Math.max(unit, Math.floor(SUMS_BYTES / (paddedRows * 4) / unit) * unit));
    const panels = streamed ? 1 : Math.min(BLOCK_PANELS, chunk / columns);
    const units = to.sizes[0] * Math.ceil(planes.flat / chunk);
    const whole = from.N * groups;
    const parts = threeByThree ? 1 : Math.max(1, Math.min(units, host.threads === 1 ? 1 : Math.ceil((2 * host.threads) / whole)));

    // Rows that lie a multiple of 4096 bytes apart would share cache lines.
    const sumsRow = chunk * 4 + (chunk % 1024 === 0 ? 64 : 0);
    const stripAt = 0;
    const biasAt = 1024;
    const panelsAt = biasAt + roundUp(paddedRows * 4 + 256, 64);
    const sumsAt = panelsAt + roundUp(panels * columns * kBlock * 4 + 64, 64);
    const planesAt = sumsAt + roundUp(paddedRows * sumsRow + 64, 64);
    const planesBytes = kind === 'direct3x3' ? roundUp(from.sizes[2] * 4 + 64, 64) : planes.bytes;
    // The nine taps of a 3x3 window in reading order, which is the reverse of the gradient's.
    const forward = job.taps.list[0]?.shift[1] === 0;
    const tapOrder = forward ? [0, tile.rows * 4] : [8 * tile.rows * 4, -tile.rows * 4];
    host.launch(
      this.#kinds[kind],
      [
        [groups, rows, k, tables, packedAt, groupBytes, bias.address, bias.stride],
        [to.address, to.strideN, to.strideC * rows, to.strideC, ...to.strides, ...to.sizes, planes.pitch],
        [chunk, kBlock, panels, parts, planesAt, panelsAt, sumsAt, sumsRow, biasAt, stripAt, ...tapOrder],
        ...planes.fields(from.C / groups, planesBytes),
      ],
      whole * parts,
      planesAt + planesBytes,
      (whole * rows * k * product(to.sizes)) / MULTIPLICATIONS_PER_NS,
    );
  }
}

type Kind = 'patches' | 'few' | 'single' | 'single3x3' | 'direct3x3';

export const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to;
