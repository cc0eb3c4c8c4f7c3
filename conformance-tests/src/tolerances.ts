/**
 * @file How near a float must come to PyTorch's: |got − expected| ≤ rtol · max|expected| + floor. The floor is a multiple of PyTorch's own
 * float32 error on that case, which comes with the data. What needs more is listed here by op, with its reason, and nowhere else.
 */
import type { DType } from '@tessera/core';

export interface Tolerance {
  readonly rtol: number;
  /** How many times PyTorch's own float32 error is allowed on top. */
  readonly floorFactor: number;
}

/** Results of an op. float64 is held to what its own arithmetic gives. */
export const VALUES: { readonly [D in DType]: Tolerance } = {
  float32: { rtol: 1e-5, floorFactor: 10 },
  float64: { rtol: 1e-10, floorFactor: 0 },
  // One unit in the last place of the type.
  float16: { rtol: 2 ** -10, floorFactor: 10 },
  bfloat16: { rtol: 2 ** -7, floorFactor: 10 },
  // Integers and truth values are exact.
  int32: { rtol: 0, floorFactor: 0 },
  uint8: { rtol: 0, floorFactor: 0 },
  bool: { rtol: 0, floorFactor: 0 },
};

/** Gradients that sum over this many elements of a case's largest tensor or more may differ by the order of summation. */
export const LONG_SUM = 4096;
export const LONG_SUM_RTOL = 1e-4;

/** An op's own tolerance, and why it needs one. */
export interface OpTolerance {
  readonly values?: Partial<Tolerance>;
  readonly grads?: Partial<Tolerance>;
  readonly reason: string;
}

export const OP_TOLERANCES: Readonly<Record<string, OpTolerance>> = {
  'nn.MultiheadAttention': {
    grads: { rtol: 5e-4 },
    reason:
      'where one weight is near 1 the gradient of the softmax cancels, and PyTorch’s float32 is off by 2e-4 of the largest gradient from its float64; data of modules come without its own error',
  },
  'nn.CTCLoss': {
    grads: { rtol: 1e-4 },
    reason:
      'log p of a whole labelling is near −400 in this data, where float32 has steps of 3e-5; data of modules come without PyTorch’s own error, which is 1e-4 in nn.functional.ctc_loss',
  },
};

/** What one tensor of one case must keep to. */
export function toleranceFor(op: string, part: 'values' | 'grads', dtype: DType, elements: number): Tolerance {
  const base = VALUES[dtype];
  const long = part === 'grads' && dtype === 'float32' && elements >= LONG_SUM ? { ...base, rtol: LONG_SUM_RTOL } : base;
  return base.rtol === 0 ? base : { ...long, ...OP_TOLERANCES[op]?.[part] };
}
