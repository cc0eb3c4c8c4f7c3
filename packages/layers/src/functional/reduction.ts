/** @file How losses sum up their elements. */
import { type Reduction, type Tensor, ValueError } from '@tessera/core';

export type { Reduction };

/** What most losses take. */
export interface LossOptions {
  /** 'none': a loss for each element; 'mean' (the default); 'sum'. */
  readonly reduction?: Reduction;
}

/** Elements of a loss, summed up. @throws ValueError `ERR_REDUCTION` */
export function reduced(each: Tensor, reduction: Reduction = 'mean', op = 'loss'): Tensor {
  switch (reduction) {
    case 'mean':
      return each.mean();
    case 'sum':
      return each.sum();
    case 'none':
      return each;
    default:
      throw new ValueError('ERR_REDUCTION', `${op}: ${String(reduction)} is not a valid value for reduction`, { op });
  }
}
