/** @file Logic on the truth of elements (0 is false, all else is true, NaN included). Results are bool; in-place forms keep their dtype. */
import { binary, type BinaryOp, inPlace, unary, type UnaryOp } from './define.js';

/** ¬x. PyTorch: torch.logical_not. */
export const logicalNot: UnaryOp = unary('logicalNot', { result: 'bool', forward: (e, x) => e.not(e.cast(x, 'bool')) });
export const logicalNot_: UnaryOp = inPlace(logicalNot);

/** a ∧ b. PyTorch: torch.logical_and. */
export const logicalAnd: BinaryOp = binary('logicalAnd', { result: 'bool', forward: (e, a, b) => e.and(e.cast(a, 'bool'), e.cast(b, 'bool')) });
export const logicalAnd_: BinaryOp = inPlace(logicalAnd);

/** a ∨ b. PyTorch: torch.logical_or. */
export const logicalOr: BinaryOp = binary('logicalOr', { result: 'bool', forward: (e, a, b) => e.or(e.cast(a, 'bool'), e.cast(b, 'bool')) });
export const logicalOr_: BinaryOp = inPlace(logicalOr);

/** a ⊕ b. PyTorch: torch.logical_xor. */
export const logicalXor: BinaryOp = binary('logicalXor', { result: 'bool', forward: (e, a, b) => e.xor(e.cast(a, 'bool'), e.cast(b, 'bool')) });
export const logicalXor_: BinaryOp = inPlace(logicalXor);
