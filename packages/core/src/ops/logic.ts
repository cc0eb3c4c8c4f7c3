/** @file Logic on the truth of elements (0 is false, all else is true, NaN included). Results are bool; in-place forms keep their dtype. */
import { binary, inPlace, type TensorOp, unary, type UnaryOp } from './define.js';

/** ¬x. PyTorch: torch.logical_not. */
export const logicalNot: UnaryOp = unary('logicalNot', { result: 'bool', forward: (e, x) => e.not(e.cast(x, 'bool')) });
export const logicalNot_: UnaryOp = inPlace(logicalNot);

/** a ∧ b. PyTorch: torch.logical_and. */
export const logicalAnd: TensorOp = binary('logicalAnd', {
  tensors: true,
  result: 'bool',
  forward: (e, a, b) => e.and(e.cast(a, 'bool'), e.cast(b, 'bool')),
});
export const logicalAnd_: TensorOp = inPlace(logicalAnd);

/** a ∨ b. PyTorch: torch.logical_or. */
export const logicalOr: TensorOp = binary('logicalOr', {
  tensors: true,
  result: 'bool',
  forward: (e, a, b) => e.or(e.cast(a, 'bool'), e.cast(b, 'bool')),
});
export const logicalOr_: TensorOp = inPlace(logicalOr);

/** a ⊕ b. PyTorch: torch.logical_xor. */
export const logicalXor: TensorOp = binary('logicalXor', {
  tensors: true,
  result: 'bool',
  forward: (e, a, b) => e.xor(e.cast(a, 'bool'), e.cast(b, 'bool')),
});
export const logicalXor_: TensorOp = inPlace(logicalXor);
