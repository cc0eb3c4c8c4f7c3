/**
 * @file Four elements at a time between memory and registers. In registers float32 and int32 are four lanes, bool is a mask of four lanes, float64 two
 * pairs of lanes; narrower dtypes widen on their way in and narrow on their way out.
 */
import { type DType, DTYPE_INFO } from '@tessera/core/backend';
import { type Expr, type FunctionBuilder, i32, i32x4, i8x16, type Local, v128 } from '../assembler/index.js';
import type { V, VLocal } from '../math/library.js';
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from './halves.js';

/** Four elements: one vector, or two of float64. */
export type Quad = readonly VLocal[];

/** How a view's elements follow one another along the inner dim. */
export type StrideClass = 0 | 1 | 2;
export const BROADCAST = 0;
export const CONTIGUOUS = 1;
export const STRIDED = 2;
export const strideClass = (stride: number): StrideClass => (stride === 1 ? CONTIGUOUS : stride === 0 ? BROADCAST : STRIDED);

type Address = Local<'i32'>;

/** Elements of 16 bits or less, in 32-bit lanes, as their compute dtype has them. */
function widen(f: FunctionBuilder, dtype: DType, lanes: V): V {
  switch (dtype) {
    case 'bool':
      return i32x4.neg(lanes);
    case 'float16':
      return float16ToFloat32(f, lanes);
    case 'bfloat16':
      return bfloat16ToFloat32(lanes);
    default:
      return lanes;
  }
}

const loadScalar = (dtype: DType, at: Expr<'i32'>, offset: number): Expr<'i32'> =>
  DTYPE_INFO[dtype].size === 1 ? i32.load8U(at, offset) : i32.load16U(at, offset);

/** Four neighbours from `at` on. It may read (not use) up to 31 bytes behind them. */
export function loadContiguous(f: FunctionBuilder, dtype: DType, at: Address, offset: number): Quad {
  switch (DTYPE_INFO[dtype].size) {
    case 8:
      return [f.local('v128', v128.load(at, offset)), f.local('v128', v128.load(at, offset + 16))];
    case 4:
      return [f.local('v128', v128.load(at, offset))];
    case 2:
      return [f.local('v128', widen(f, dtype, v128.load16x4U(at, offset)))];
    default: {
      // Bytes to the lowest places of 32-bit lanes; index 16 and beyond gives 0.
      const bytes = v128.load32Zero(at, offset);
      const spread = i8x16.swizzle(bytes, i8x16.const(0, 16, 16, 16, 1, 16, 16, 16, 2, 16, 16, 16, 3, 16, 16, 16));
      return [f.local('v128', widen(f, dtype, spread))];
    }
  }
}

/** One element in all lanes. */
export function loadBroadcast(f: FunctionBuilder, dtype: DType, at: Address): Quad {
  switch (DTYPE_INFO[dtype].size) {
    case 8: {
      const both = f.local('v128', v128.load64Splat(at));
      return [both, both];
    }
    case 4:
      return [f.local('v128', v128.load32Splat(at))];
    default:
      return [f.local('v128', widen(f, dtype, i32x4.splat(loadScalar(dtype, at, 0))))];
  }
}

/** Four elements at `at`, and at `at` + each of `steps` (in bytes). */
export function loadStrided(f: FunctionBuilder, dtype: DType, at: Address, steps: readonly Address[]): Quad {
  const address = (k: number): Expr<'i32'> => (k === 0 ? at : i32.add(at, steps[k - 1]));
  switch (DTYPE_INFO[dtype].size) {
    case 8:
      return [0, 2].map((k) => f.local('v128', v128.load64Lane(1, address(k + 1), v128.load64Zero(address(k)))));
    case 4: {
      let lanes: V = v128.load32Zero(at);
      for (let k = 1; k < 4; k++) lanes = v128.load32Lane(k, address(k), lanes);
      return [f.local('v128', lanes)];
    }
    default: {
      let lanes: V = i32x4.splat(loadScalar(dtype, at, 0));
      for (let k = 1; k < 4; k++) lanes = i32x4.replaceLane(k, lanes, loadScalar(dtype, address(k), 0));
      return [f.local('v128', widen(f, dtype, lanes))];
    }
  }
}

/** The bytes of four elements, packed; float64 has two of these. */
function narrow(f: FunctionBuilder, dtype: DType, quad: Quad): readonly VLocal[] {
  const [value] = quad;
  const packHalves = (bits: V): VLocal => {
    const x = f.local('v128', bits);
    return f.local('v128', i8x16.shuffle([0, 1, 4, 5, 8, 9, 12, 13, 0, 0, 0, 0, 0, 0, 0, 0], x, x));
  };
  const packBytes = (bits: VLocal): VLocal => f.local('v128', i8x16.shuffle([0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], bits, bits));
  switch (dtype) {
    case 'float16':
      return [packHalves(float32ToFloat16(f, value))];
    case 'bfloat16':
      return [packHalves(float32ToBfloat16(value))];
    case 'uint8':
      return [packBytes(value)];
    case 'bool':
      return [packBytes(f.local('v128', i32x4.neg(value)))];
    default:
      return quad;
  }
}

function storeLane(dtype: DType, lane: number, at: Expr<'i32'>, packed: readonly VLocal[], offset = 0): Expr<'void'> {
  switch (DTYPE_INFO[dtype].size) {
    case 8:
      return v128.store64Lane(lane & 1, at, packed[lane >> 1], offset);
    case 4:
      return v128.store32Lane(lane, at, packed[0], offset);
    case 2:
      return v128.store16Lane(lane, at, packed[0], offset);
    default:
      return v128.store8Lane(lane, at, packed[0], offset);
  }
}

/** Writes four neighbours. */
export function storeContiguous(f: FunctionBuilder, dtype: DType, at: Address, offset: number, quad: Quad): void {
  const packed = narrow(f, dtype, quad);
  switch (DTYPE_INFO[dtype].size) {
    case 8:
      f.emit(v128.store(at, packed[0], offset), v128.store(at, packed[1], offset + 16));
      break;
    case 4:
      f.emit(v128.store(at, packed[0], offset));
      break;
    case 2:
      f.emit(v128.store64Lane(0, at, packed[0], offset));
      break;
    default:
      f.emit(v128.store32Lane(0, at, packed[0], offset));
  }
}

/** Writes the first `count` (1 to 4 and more) of four elements, `step` bytes apart. */
export function storeSome(
  f: FunctionBuilder,
  dtype: DType,
  at: Address,
  steps: readonly Address[] | null,
  count: Address,
  quad: Quad,
): void {
  const packed = narrow(f, dtype, quad);
  const { size } = DTYPE_INFO[dtype];
  const one = (k: number): Expr<'void'> =>
    steps === null || k === 0 ? storeLane(dtype, k, at, packed, k * size) : storeLane(dtype, k, i32.add(at, steps[k - 1]), packed);
  f.emit(one(0));
  f.if(i32.gtU(count, 1), () => {
    f.emit(one(1));
    f.if(i32.gtU(count, 2), () => {
      f.emit(one(2));
      f.if(i32.gtU(count, 3), () => f.emit(one(3)));
    });
  });
}

/** Writes four elements that are `steps` apart. */
export function storeStrided(f: FunctionBuilder, dtype: DType, at: Address, steps: readonly Address[], quad: Quad): void {
  const packed = narrow(f, dtype, quad);
  for (let k = 0; k < 4; k++) f.emit(storeLane(dtype, k, k === 0 ? at : i32.add(at, steps[k - 1]), packed));
}

/** A run-time scalar of a program, from the place of 8 bytes where it lies as its own dtype. */
export function loadScalarArgument(f: FunctionBuilder, dtype: DType, at: Address, offset: number): Quad {
  if (dtype === 'float64') {
    const both = f.local('v128', v128.load64Splat(at, offset));
    return [both, both];
  }
  // bool lies there as 0 or −1.
  return [f.local('v128', v128.load32Splat(at, offset))];
}

export type { Address };
