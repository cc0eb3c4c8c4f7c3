/** @file Running Winograd convolutions: how images are cut into blocks of tiles, and where everything lies. */
import type { Kernel } from '../../machine/machine.js';
import { MULTIPLICATIONS_PER_NS } from '../../matmul/gemm.js';
import type { Fields, KernelHost } from '../../code/kernel-host.js';
import { columnsOf, type TileShape } from '../../matmul/tile.js';
import { FLOAT32 } from '../../matmul/element.js';
import { type Correlation, roundUp } from '../correlation.js';
import type { ImagePlanes } from '../image-planes.js';
import { splitsOf } from '../weight-grad.js';
import type { Filtering } from './cook-toom.js';
import { emitWinograd } from './winograd-module.js';

/** A 3x3 convolution of stride 1 without dilation, or one of its gradients. */
export interface WinogradProblem {
  readonly from: ImagePlanes;
  /** Output channels of a group. */
  readonly rows: number;
  readonly groups: number;
  /** Zeros around the data. */
  readonly padding: readonly [number, number];
}

/** Where weights lie: strides in bytes, those of taps negative where the filter is turned. */
export interface WinogradWeights {
  readonly address: number;
  readonly group: number;
  readonly row: number;
  readonly channel: number;
  readonly tapH: number;
  readonly tapW: number;
}

/** Tiles of a block in both domains should take about this much: more leaves the caches, less makes narrow products. */
const BLOCK_BYTES = 3 << 19;
const LEAST_TILES = 48;
const MOST_TILES = 224;
/** Transformed weights that one pass over a block reads: they stay in the second-level cache. */
const ROW_BLOCK_BYTES = 160 * 1024;

export class Winograd {
  readonly #weights: Kernel;
  readonly #weightGrads: Kernel;
  readonly #forward: Kernel;
  readonly #gradient: Kernel;

  constructor(
    readonly host: KernelHost,
    readonly filtering: Filtering,
    readonly tile: TileShape,
  ) {
    const tasks = host.module(`winograd ${filtering.m} ${tile.fma ? ' fma' : ''}`, (module) => emitWinograd(module, filtering, tile));
    this.#weights = tasks('weights');
    this.#weightGrads = tasks('weightGrads');
    this.#forward = tasks('forward');
    this.#gradient = tasks('gradient');
  }

  /** The forward pass, and the gradient by the input with turned weights. */
  run({ from, rows, groups, padding }: WinogradProblem, weights: WinogradWeights, bias: Correlation['bias'], out: ImagePlanes): void {
    const { host, filtering } = this;
    const { m, n } = filtering;
    const channels = from.C / groups;
    const cut = this.#cut(from, rows, channels, groups, out);
    const panels = Math.ceil(rows / 4);
    const groupBytes = n * n * panels * channels * 16;
    host.withMemory(groups * groupBytes + 64, (shared) => {
      host.launch(
        this.#weights,
        [weights.address, weights.group, weights.row, weights.channel, weights.tapH, weights.tapW, rows, channels, shared, groupBytes],
        groups * panels,
        0,
        groups * rows * channels * n,
      );
      const width = roundUp(cut.tileColumns, 4) * m * 4;
      const resultsAt = cut.end;
      const rowBlock = Math.max(4, Math.floor(ROW_BLOCK_BYTES / (channels * 16)) * 4);
      host.launch(
        this.#forward,
        [
          ...this.#planeFields(from, channels, padding, cut),
          [rows, shared, groupBytes, rowBlock, bias.address, bias.stride, resultsAt],
          [out.address, out.strideN, out.strideC * rows, out.strideC, out.strides[1], out.strides[2], out.sizes[1], out.sizes[2]],
        ],
        groups * cut.blocks,
        resultsAt + m * width + 64,
        this.#cost(from, rows, out),
      );
    });
  }

  /** The gradient by the weight. */
  weightGrad({ from, rows, groups, padding }: WinogradProblem, gradOut: ImagePlanes, weights: WinogradWeights): void {
    const { host, filtering, tile } = this;
    const { m, n } = filtering;
    const channels = from.C / groups;
    const cut = this.#cut(from, rows, channels, groups, gradOut);
    const partialRow = roundUp(channels, 4) * 4;
    const element = rows * partialRow;
    const partialBytes = n * n * element;
    const splits = splitsOf(from.N, partialBytes * groups);
    host.withMemory(groups * splits * partialBytes + 64, (partials) => {
      const columns = columnsOf(tile, FLOAT32);
      const leftAt = cut.end;
      const rightAt = leftAt + roundUp(roundUp(rows, tile.rows) * cut.tiles * 4 + 64, 64);
      const end = rightAt + roundUp(roundUp(channels, columns) * cut.tiles * 4 + 64, 64);
      const gradRow = (roundUp(cut.tileColumns, 4) * m + 4) * 4;
      const gradBytes = gradRow * cut.unitRows * m + 64;
      host.launch(
        this.#gradient,
        [
          ...this.#planeFields(from, channels, padding, cut),
          [rows, splits, partials, partialBytes, element, partialRow, leftAt, rightAt],
          [gradOut.address, gradOut.strideN, gradOut.strideC * rows, gradOut.strideC, gradOut.strides[1], gradOut.strides[2]],
          [gradOut.sizes[1], gradOut.sizes[2], gradRow, gradBytes],
        ],
        groups * splits,
        end,
        this.#cost(from, rows, gradOut),
      );
      host.launch(
        this.#weightGrads,
        [
          [partials, partialBytes, splits, element, partialRow, rows, channels],
          [weights.address, weights.group, weights.row, weights.channel, weights.tapH, weights.tapW],
        ],
        groups * rows,
        0,
        groups * rows * channels * n * splits,
      );
    });
  }

  /** In ns. */
  #cost(from: ImagePlanes, rows: number, out: ImagePlanes): number {
    const { m, n } = this.filtering;
    const products = ((from.N * from.C * rows * out.sizes[1] * out.sizes[2]) / (m * m)) * n * n;
    return products / MULTIPLICATIONS_PER_NS;
  }

  #cut(from: ImagePlanes, rows: number, channels: number, groups: number, out: ImagePlanes): Cut {
    const { m, n } = this.filtering;
    const tileRows = Math.ceil(out.sizes[1] / m);
    const tileColumns = Math.ceil(out.sizes[2] / m);
    const perTile = n * n * (channels + rows) * 4;
    const target = Math.max(LEAST_TILES, Math.min(MOST_TILES, Math.floor(BLOCK_BYTES / perTile)));
    const unitRows = Math.max(1, Math.min(tileRows, Math.floor(target / tileColumns)));
    const unitsOfImage = Math.ceil(tileRows / unitRows);
    let blockUnits = unitsOfImage > 1 ? 1 : Math.max(1, Math.min(from.N, Math.floor(target / (tileRows * tileColumns))));
    // With threads, blocks are for all of them, and as many for each.
    const { threads } = this.host;
    if (threads > 1) {
      const units = from.N * unitsOfImage;
      const blocksOfAll = roundUp(Math.max(2 * threads, groups * Math.ceil(units / blockUnits)), threads);
      blockUnits = Math.max(1, Math.min(blockUnits, Math.ceil(units / Math.ceil(blocksOfAll / groups))));
    }
    // Room for the last vector; a stride of a multiple of 256 bytes would share cache lines.
    let tiles = roundUp(blockUnits * unitRows * tileColumns + 4, 8);
    if (tiles % 64 === 0) tiles += 8;
    const planeRow = (roundUp(tileColumns, 4) * m + 4) * 4;
    const planeBytes = planeRow * (unitRows * m + 2) + 64;
    const stripAt = 256;
    const rowsAt = stripAt + 1024;
    const planeAt = rowsAt + roundUp(Math.max(n * planeRow, n * m * 16) + 64, 64);
    const inputAt = planeAt + roundUp(planeBytes + 64, 64);
    const productAt = inputAt + roundUp(n * n * channels * tiles * 4 + 256, 64);
    const end = productAt + roundUp(n * n * rows * tiles * 4 + 256, 64);
    const blocks = Math.ceil((from.N * unitsOfImage) / blockUnits);
    return {
      tileRows,
      tileColumns,
      unitRows,
      unitsOfImage,
      blockUnits,
      blocks,
      tiles,
      planeRow,
      planeBytes,
      stripAt,
      rowsAt,
      planeAt,
      inputAt,
      productAt,
      end,
    };
  }

  #planeFields(from: ImagePlanes, channels: number, padding: readonly [number, number], cut: Cut): Fields {
    return [
      [from.N, channels, from.address, from.strideN, from.strideC * channels, from.strideC],
      [from.sizes[1], from.sizes[2], from.strides[1], from.strides[2], ...padding],
      [cut.tileRows, cut.tileColumns, cut.unitRows, cut.unitsOfImage, cut.blockUnits, cut.tiles],
      [cut.planeAt, cut.planeRow, cut.planeBytes, cut.rowsAt, cut.inputAt, cut.productAt, cut.stripAt],
    ];
  }
}

interface Cut {
  readonly tileRows: number;
  readonly tileColumns: number;
  readonly unitRows: number;
  readonly unitsOfImage: number;
  readonly blockUnits: number;
  readonly blocks: number;
  readonly tiles: number;
  readonly planeRow: number;
  readonly planeBytes: number;
  readonly stripAt: number;
  readonly rowsAt: number;
  readonly planeAt: number;
  readonly inputAt: number;
  readonly productAt: number;
  readonly end: number;
}
