/** @file Which path a matrix product takes, and how it is cut into parts. */
import type { Kernel } from '../machine/machine.js';
import type { KernelHost } from '../code/kernel-host.js';
import type { Element } from './element.js';
import { COLUMN_BLOCK, emitGemm, kBlock, ROW_BLOCK } from './gemm-module.js';
import { columnsOf, type TileShape } from './tile.js';

/** A batch of matrices: the address of the first, and strides, in bytes. */
export interface Operand {
  readonly address: number;
  readonly row: number;
  readonly column: number;
  readonly batch: number;
}

/** c = a · b + bias over a batch. A bias has a stride by row or by column and 0 for the other; with an address of 0 there is none. */
export interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: number;
  readonly a: Operand;
  readonly b: Operand;
  readonly c: Operand;
  readonly bias: Omit<Operand, 'batch'>;
}

export const NO_BIAS = { address: 0, row: 0, column: 0 } as const;

export const TILE_4X8: TileShape = { rows: 4, vectors: 2, fma: false };

/** Right operands up to this many bytes are read as they lie: they stay in the first-level cache, and packing would cost more than it gives. */
const DIRECT_BYTES = 32 * 1024;
/**
 * But a left operand of many rows, read once for each panel of so many columns, is worth packing: 4096x64 by 64x64 takes 0.71 ms, and 0.77 as it lies. So is
 * one of fewer rows whose elements do not lie side by side in them: 1.24 ms against 0.79 for the transposed 4096x64.
 */
const [MANY_ROWS, TURNED_ROWS, MANY_COLUMNS] = [512, 32, 32];
/** Fewer rows than this do not pay for packing the right operand. */
const FEW_ROWS = 8;
/** Products of so many multiplications are worth a second thread. */
const PARALLEL_WORK = 1 << 20;
/** What one thread does, for estimates. */
export const MULTIPLICATIONS_PER_NS = 16;

type Path = 'packed' | 'direct' | 'dot' | 'vector';

/** Matrix products of one element type, with one tile. */
export class Gemm {
  readonly #tasks: Readonly<Record<Path, Kernel>>;

  constructor(
    readonly host: KernelHost,
    readonly e: Element,
    readonly tile: TileShape,
  ) {
    const tasks = host.module(`gemm ${e.dtype} ${tile.rows}x${tile.vectors}${tile.fma ? ' fma' : ''}`, (module) =>
      emitGemm(module, e, tile),
    );
    this.#tasks = { packed: tasks('packed'), direct: tasks('direct'), dot: tasks('dot'), vector: tasks('vector') };
  }

  run(p: Product): void {
    const { size } = this.e;
    const rowsByRows = p.a.column === size && p.b.row === size;
    if (p.m === 1 && p.b.column === size) return this.#launch('vector', p);
    if (p.n === 1 && p.a.row === size) return this.#launch('vector', exchanged(p));
    if (rowsByRows && Math.min(p.m, p.n) < FEW_ROWS) return this.#launch('dot', p);
    const unpacked = p.b.column === size && p.b.row !== 0;
    const packs = p.n >= MANY_COLUMNS && p.m >= (p.a.column === size ? MANY_ROWS : TURNED_ROWS);
    const small = p.k * p.n * size <= DIRECT_BYTES && !packs;
    if (small || (unpacked && p.m < FEW_ROWS)) return this.#launch('direct', p);
    this.#launch('packed', p);
  }

  #launch(path: Path, p: Product): void {
    const { rows } = this.tile;
    const columns = columnsOf(this.tile, this.e);
    const { size } = this.e;
    // Parts are cut only where threads can share them: at least twice as many as threads, for balance.
    let mPart = p.m;
    let nPart = p.n;
    const work = p.m * p.n * p.k * p.batch;
    const wanted = work < PARALLEL_WORK || this.host.threads === 1 ? 1 : this.host.threads * 2;
    if (p.batch < wanted) {
      const parts = Math.ceil(wanted / p.batch);
      if (path !== 'vector' && p.m >= p.n / 2) mPart = Math.max(rows * 4, roundUp(Math.ceil(p.m / parts), rows * 4));
      else nPart = Math.max(columns * 4, roundUp(Math.ceil(p.n / parts), columns * 4));
      mPart = Math.min(mPart, p.m);
      nPart = Math.min(nPart, p.n);
    }
    const mParts = Math.ceil(p.m / mPart);
    const nParts = Math.ceil(p.n / nPart);
    const stripAt = 256 + roundUp((Math.max(mPart, nPart) + 32) * size, 64);
    const leftAt = stripAt + 1024 + (path === 'vector' ? roundUp(nPart * size, 64) : 0);
    const kc = path === 'packed' ? kBlock(p.k) : p.k;
    const rightAt = leftAt + (path === 'packed' ? roundUp((Math.min(ROW_BLOCK, mPart) + rows) * kc * size + 64, 64) : 0);
    const packs = path === 'packed' || path === 'direct';
    const scratch = rightAt + (packs ? (Math.min(path === 'packed' ? COLUMN_BLOCK : nPart, nPart) + columns) * kc * size + 64 : 0);
    this.host.launch(
      this.#tasks[path],
      [
        [p.m, p.n, p.k],
        [p.a.address, p.a.row, p.a.column, p.a.batch, p.b.address, p.b.row, p.b.column, p.b.batch],
        [p.c.address, p.c.row, p.c.column, p.c.batch, p.bias.address, p.bias.row, p.bias.column],
        [mPart, nPart, mParts, nParts, kc, stripAt, leftAt, rightAt],
      ],
      p.batch * mParts * nParts,
      scratch,
      work / MULTIPLICATIONS_PER_NS,
    );
  }
}

/** The same product as (bᵀ · aᵀ)ᵀ. */
function exchanged({ m, n, k, batch, a, b, c, bias }: Product): Product {
  const turned = <T extends Omit<Operand, 'batch'>>(x: T): T => ({ ...x, row: x.column, column: x.row });
  return { m: n, n: m, k, batch, a: turned(b), b: turned(a), c: turned(c), bias: turned(bias) };
}

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to;
