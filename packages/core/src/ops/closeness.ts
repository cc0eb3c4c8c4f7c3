/** @file Are tensors equal, or nearly so? */
import { DTypeError } from '../errors.js';
import { DTYPE_INFO } from '../tensor/dtype.js';
import { sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { binary, type TensorOp } from './define.js';
import { checkOptions, type OptionNames } from '../options.js';

const CLOSE_OPTIONS: OptionNames<CloseOptions> = { rtol: true, atol: true, equalNan: true };

export interface CloseOptions {
  /** Of |b|. Default 1e-5. */
  readonly rtol?: number;
  /** Default 1e-8. */
  readonly atol?: number;
  /** NaN is close to NaN. Default false. */
  readonly equalNan?: boolean;
}

/** |a − b| ≤ atol + rtol · |b|; equal infinities are close. PyTorch: torch.isclose. */
export const isclose: TensorOp<[CloseOptions?]> = /* @__PURE__ */ binary<[CloseOptions?]>('isclose', {
  tensors: true,
  result: 'bool',
  forward: (e, x, y, options) => {
    const rtol = options?.rtol ?? 1e-5;
    const atol = options?.atol ?? 1e-8;
    const same = e.eq(x, y);
    if (rtol === 0 && atol === 0 && options?.equalNan !== true) return same;
    const isFloat = DTYPE_INFO[x.dtype].category === 'float';
    const a = isFloat ? x : e.cast(x, 'float32');
    const b = isFloat ? y : e.cast(y, 'float32');
    const error = e.abs(e.sub(a, b));
    const close = e.or(same, e.and(e.le(error, e.add(e.mul(e.abs(b), rtol), atol)), e.lt(error, Infinity)));
    return options?.equalNan === true && isFloat ? e.or(close, e.and(e.isnan(a), e.isnan(b))) : close;
  },
  check: (a, b, _dtype, options) => {
    checkOptions('isclose', options, CLOSE_OPTIONS);
    const other = b as Tensor;
    if (a.dtype !== other.dtype)
      throw new DTypeError('ERR_DTYPE_MIX', `isclose: ${a.dtype} did not match ${other.dtype}`, {
        op: 'isclose',
        dtypes: [a.dtype, other.dtype],
      });
    for (const name of ['rtol', 'atol'] as const) {
      if (!((options?.[name] ?? 0) >= 0))
        throw new DTypeError('ERR_TOLERANCE', `isclose: ${name} must be greater than or equal to zero, but got ${options?.[name]}`, {
          op: 'isclose',
        });
    }
  },
});

/** Are all elements close? Reads the answer. PyTorch: torch.allclose. */
export const allclose = (a: Tensor, b: Tensor, options: CloseOptions = {}): boolean => {
  checkOptions('allclose', options, CLOSE_OPTIONS);
  return isclose(a.detach(), b.detach(), options).all().item() !== 0;
};
/** The same on every device. */
export const allcloseAsync = async (a: Tensor, b: Tensor, options: CloseOptions = {}): Promise<boolean> => {
  checkOptions('allcloseAsync', options, CLOSE_OPTIONS);
  return (await isclose(a.detach(), b.detach(), options).all().itemAsync()) !== 0;
};

/** Have both one shape and the same elements? Reads the answer. PyTorch: torch.equal. */
export const equal = (a: Tensor, b: Tensor): boolean => sameShape(a.shape, b.shape) && a.detach().eq(b.detach()).all().item() !== 0;
/** The same on every device. */
export const equalAsync = async (a: Tensor, b: Tensor): Promise<boolean> =>
  sameShape(a.shape, b.shape) && (await a.detach().eq(b.detach()).all().itemAsync()) !== 0;
