/** @file Which of Winograd's filterings pays for a convolution, if any. */
import type { KernelHost } from '../../code/kernel-host.js';
import { TILE_4X8 } from '../../matmul/gemm.js';
import type { ImagePlanes, Three } from '../image-planes.js';
import { F2, F4, type Filtering } from './cook-toom.js';
import { Winograd } from './winograd.js';

/** Fewer channels than this (in, or out, of a group) do not pay for the transforms. */
const LEAST_CHANNELS = 8;
/** A tile of 4x4 results needs 2.25 products a result, one of 2x2 4; small planes waste more of the larger tile. */
const COST = { F2: 4, F4: 2.25 };

export class WinogradChoice {
  #f2: Winograd | undefined;
  #f4: Winograd | undefined;

  constructor(readonly host: KernelHost) {}

  // What is emitted for one of them is made when a call first takes it. Its weights have four rows in a panel.
  #get2(): Winograd {
    return (this.#f2 ??= new Winograd(this.host, F2, { ...TILE_4X8, fma: this.host.machine.fma }));
  }

  #get4(): Winograd {
    return (this.#f4 ??= new Winograd(this.host, F4, { ...TILE_4X8, fma: this.host.machine.fma }));
  }

  /** The filtering for a 3x3 window of stride 1 that makes planes of `sizes`, or null. */
  choose(
    weight: ImagePlanes,
    stride: Three,
    dilation: Three,
    channels: number,
    rows: number,
    sizes: Three,
    leastTiles: number,
  ): Winograd | null {
    const [depth, height, width] = weight.sizes;
    if (depth !== 1 || height !== 3 || width !== 3 || sizes[0] !== 1 || !isOne(stride) || !isOne(dilation)) return null;
    if (Math.min(channels, rows) < LEAST_CHANNELS) return null;
    const cost = ({ m }: Filtering, each: number): number => {
      const tiles = Math.ceil(sizes[1] / m) * Math.ceil(sizes[2] / m);
      return tiles * m * m * each;
    };
    const tiles = Math.ceil(sizes[1] / F4.m) * Math.ceil(sizes[2] / F4.m);
    return tiles >= leastTiles && cost(F4, COST.F4) <= cost(F2, COST.F2) ? this.#get4() : this.#get2();
  }
}

const isOne = ([a, b, c]: Three): boolean => a === 1 && b === 1 && c === 1;
