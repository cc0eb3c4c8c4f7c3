/** @file The matmul and linear kernels. */
import { type AcceleratedKernels, type RequiredKernels, ValueError } from '@tessera/core/backend';
import { addressOf, type KernelHost, type WasmView } from '../code/kernel-host.js';
import type { WasmBuffer } from '../memory/wasm-buffer.js';
import { type Element, FLOAT32, FLOAT64, INT32 } from './element.js';
import { Gemm, NO_BIAS, type Operand, TILE_4X8 } from './gemm.js';
import type { TileShape } from './tile.js';

const ELEMENTS: Readonly<Record<string, Element>> = { float32: FLOAT32, float64: FLOAT64, int32: INT32 };

/** Makes the kernels; `tile` is that of float32 products. */
export function matmulKernels(
  host: KernelHost,
  tile: () => TileShape,
): Pick<RequiredKernels<WasmBuffer>, 'matmul'> & Pick<Required<AcceleratedKernels<WasmBuffer>>, 'linear'> {
  const gemms = new Map<string, Gemm>();
  const { fma } = host.machine;
  const gemmOf = (dtype: string): Gemm => {
    let gemm = gemms.get(dtype);
    if (gemm === undefined) {
      const element = ELEMENTS[dtype];
      if (element === undefined)
        throw new ValueError('ERR_DTYPE', `matmul: wasm does not multiply ${dtype}`, { op: 'matmul', device: 'wasm' });
      gemm = new Gemm(host, element, element === FLOAT32 ? tile() : { ...TILE_4X8, fma: fma && element.madd !== null });
      gemms.set(dtype, gemm);
    }
    return gemm;
  };
  return {
    matmul(a, b, out) {
      const gemm = gemmOf(out.dtype);
      const { size } = gemm.e;
      const operand = (view: WasmView): Operand => ({
        address: addressOf(view),
        row: view.strides[1] * size,
        column: view.strides[2] * size,
        batch: view.strides[0] * size,
      });
      const [batch, m, k] = a.shape;
      gemm.run({ m, n: b.shape[2], k, batch, a: operand(a), b: operand(b), c: operand(out), bias: NO_BIAS });
    },
    linear(a, b, bias, out) {
      const element = ELEMENTS[out.dtype];
      const alike = (view: WasmView | null): boolean => view === null || view.dtype === out.dtype;
      if (element === undefined || !alike(a) || !alike(b) || !alike(bias)) return false;
      // A bias whose stride is 0 is one by nothing: products take one by row or by column.
      if (bias !== null && bias.strides[0] === 0 && bias.shape[0] > 1) return false;
      const gemm = gemmOf(out.dtype);
      const { size } = element;
      const operand = (view: WasmView, rows: number): Operand => ({
        address: addressOf(view),
        row: view.strides[rows] * size,
        column: view.strides[1 - rows] * size,
        batch: 0,
      });
      const [m, k] = a.shape;
      const row = bias === null ? NO_BIAS : { address: addressOf(bias), row: 0, column: bias.strides[0] * size || size };
      gemm.run({ m, n: b.shape[0], k, batch: 1, a: operand(a, 0), b: operand(b, 1), c: operand(out, 0), bias: row });
      return true;
    },
  };
}
