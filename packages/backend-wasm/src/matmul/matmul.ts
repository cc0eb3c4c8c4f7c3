/** @file The matmul and linear kernels. */
import { type AcceleratedKernels, type RequiredKernels, ValueError } from '@tessera/core';
import { addressOf, type KernelHost, type WasmView } from '../code/kernel-host.js';
import type { WasmBuffer } from '../memory/wasm-buffer.js';
import { type Element, FLOAT32, FLOAT64, INT32 } from './element.js';
import { Gemm, TILE_4X8 } from './gemm.js';
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
      if (element === undefined) throw new ValueError('ERR_DTYPE', `matmul: wasm does not multiply ${dtype}`, { op: 'matmul', device: 'wasm' });
      gemm = new Gemm(host, element, element === FLOAT32 ? tile() : { ...TILE_4X8, fma: fma && element.madd !== null });
      gemms.set(dtype, gemm);
    }
    return gemm;
  };
  return {
    matmul(a, b, out) {
      const gemm = gemmOf(out.dtype);
      const { size } = gemm.e;
      gemm.run({
        m: a.shape[1],
        n: b.shape[2],
        k: a.shape[2],
        batch: a.shape[0],
        a: addressOf(a),
        aRow: a.strides[1] * size,
        aColumn: a.strides[2] * size,
        aBatch: a.strides[0] * size,
        b: addressOf(b),
        bRow: b.strides[1] * size,
        bColumn: b.strides[2] * size,
        bBatch: b.strides[0] * size,
        c: addressOf(out),
        cRow: out.strides[1] * size,
        cColumn: out.strides[2] * size,
        cBatch: out.strides[0] * size,
        bias: 0,
        biasRow: 0,
        biasColumn: 0,
      });
    },
    linear(a, b, bias, out) {
      const element = ELEMENTS[out.dtype];
      const alike = (view: WasmView | null): boolean => view === null || view.dtype === out.dtype;
      if (element === undefined || !alike(a) || !alike(b) || !alike(bias)) return false;
      // A bias whose stride is 0 is one by nothing: products take one by row or by column.
      if (bias !== null && bias.strides[0] === 0 && bias.shape[0] > 1) return false;
      const gemm = gemmOf(out.dtype);
      const { size } = element;
      gemm.run({
        m: a.shape[0],
        n: b.shape[0],
        k: a.shape[1],
        batch: 1,
        a: addressOf(a),
        aRow: a.strides[0] * size,
        aColumn: a.strides[1] * size,
        aBatch: 0,
        b: addressOf(b),
        bRow: b.strides[1] * size,
        bColumn: b.strides[0] * size,
        bBatch: 0,
        c: addressOf(out),
        cRow: out.strides[0] * size,
        cColumn: out.strides[1] * size,
        cBatch: 0,
        bias: bias === null ? 0 : addressOf(bias),
        biasRow: 0,
        biasColumn: bias === null ? 0 : bias.strides[0] * size || size,
      });
      return true;
    },
  };
}
