/** @file PyTorch's `*_copy` functions: what the view of that name shows, in memory of its own. */
import type { Tensor } from '../tensor/tensor.js';
import { split, splitWithSizes, unbind } from './joining.js';
import * as views from './view.js';

const copied =
  <A extends readonly unknown[]>(view: (x: Tensor, ...args: A) => Tensor): ((x: Tensor, ...args: A) => Tensor) =>
  (x, ...args) =>
    views.clone(view(x, ...args));
type CopyOf<F extends (x: Tensor, ...args: never[]) => Tensor> = (
  x: Tensor,
  ...args: F extends (x: Tensor, ...rest: infer A) => Tensor ? A : never
) => Tensor;

/** PyTorch: torch.alias_copy. */
export const aliasCopy = (x: Tensor): Tensor => views.clone(x);
/** PyTorch: torch.detach_copy. */
export const detachCopy = (x: Tensor): Tensor => views.clone(x.detach());
/** PyTorch: torch.as_strided_copy. */
export const asStridedCopy: CopyOf<typeof views.asStrided> = copied(views.asStrided);
/** PyTorch: torch.diagonal_copy. */
export const diagonalCopy: CopyOf<typeof views.diagonal> = copied(views.diagonal);
/** PyTorch: torch.expand_copy. */
export const expandCopy: CopyOf<typeof views.expand> = copied(views.expand);
/** PyTorch: torch.narrow_copy. */
export const narrowCopy: CopyOf<typeof views.narrow> = copied(views.narrow);
/** PyTorch: torch.permute_copy. */
export const permuteCopy: CopyOf<typeof views.permute> = copied(views.permute);
/** PyTorch: torch.select_copy. */
export const selectCopy: CopyOf<typeof views.select> = copied(views.select);
/** PyTorch: torch.slice_copy. */
export const sliceCopy: CopyOf<typeof views.slice> = copied(views.slice);
/** PyTorch: torch.squeeze_copy. */
export const squeezeCopy: CopyOf<typeof views.squeeze> = copied(views.squeeze);
/** PyTorch: torch.t_copy. */
export const tCopy: CopyOf<typeof views.t> = copied(views.t);
/** PyTorch: torch.transpose_copy. */
export const transposeCopy: CopyOf<typeof views.transpose> = copied(views.transpose);
/** PyTorch: torch.unfold_copy. */
export const unfoldCopy: CopyOf<typeof views.unfold> = copied(views.unfold);
/** PyTorch: torch.unsqueeze_copy. */
export const unsqueezeCopy: CopyOf<typeof views.unsqueeze> = copied(views.unsqueeze);
/** PyTorch: torch.view_copy. */
export const viewCopy: CopyOf<typeof views.view> = copied(views.view);
/** PyTorch: torch.split_copy. */
export const splitCopy = (x: Tensor, size: number | readonly number[], dim = 0): Tensor[] => split(x, size, dim).map(views.clone);
/** PyTorch: torch.split_with_sizes_copy. */
export const splitWithSizesCopy = (x: Tensor, sizes: readonly number[], dim = 0): Tensor[] =>
  splitWithSizes(x, sizes, dim).map(views.clone);
/** PyTorch: torch.unbind_copy. */
export const unbindCopy = (x: Tensor, dim = 0): Tensor[] => unbind(x, dim).map(views.clone);
