/** @file The kernels that do most of the arithmetic: products, convolutions, poolings, rows, attention. */
import type { AcceleratedKernels, RequiredKernels } from '@tessera/core/backend';
import { attentionKernels } from '../attention/attention.js';
import { KernelHost } from '../code/kernel-host.js';
import { type ConvolutionOptions, convolutionKernels } from '../convolution/convolutions.js';
import type { Machine } from '../machine/machine.js';
import { TILE_4X8 } from '../matmul/gemm.js';
import { matmulKernels } from '../matmul/matmul.js';
import { chooseTile } from '../matmul/tile-choice.js';
import type { TileShape } from '../matmul/tile.js';
import type { WasmBuffer } from '../memory/wasm-buffer.js';
import { poolKernels } from '../pooling/pooling.js';
import { rowKernels } from '../rows/rows.js';

export function createHeavyKernels(
  machine: Machine,
  options: ConvolutionOptions,
): Pick<RequiredKernels<WasmBuffer>, 'matmul'> & Partial<AcceleratedKernels<WasmBuffer>> {
  const host = new KernelHost(machine);
  let tile: TileShape | undefined;
  const tileOf = (): TileShape => (tile ??= chooseTile(host, machine.fma));
  return {
    ...matmulKernels(host, tileOf),
    ...convolutionKernels(host, tileOf, options),
    ...poolKernels(host),
    ...rowKernels(host),
    ...attentionKernels(host, { ...TILE_4X8, fma: machine.fma }),
  };
}
