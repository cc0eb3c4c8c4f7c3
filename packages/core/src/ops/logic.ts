/** @file Logic on the truth of elements (0 is false, all else is true, NaN included). Results are bool; in-place forms keep their dtype. */
import { binary, inPlace, type TensorOp, unary, type UnaryOp } from './define.js';

/** ¬x. PyTorch: torch.logical_not. */
export const logicalNot: UnaryOp = /* @__PURE__ */ unary('logicalNot', { result: 'bool', forward: (e, x) => e.not(e.cast(x, 'bool')) });
export const logicalNot_: UnaryOp = /* @__PURE__ */ inPlace(logicalNot);

/** a ∧ b. PyTorch: torch.logical_and. */
export const logicalAnd: TensorOp = /* @__PURE__ */ binary('logicalAnd', {
  tensors: true,
  result: 'bool',
  forward: (e, a, b) => e.and(e.cast(a, 'bool'), e.cast(b, 'bool')),
});
export const logicalAnd_: TensorOp = /* @__PURE__ */ inPlace(logicalAnd);

/** a ∨ b. PyTorch: torch.logical_or. */
export const logicalOr: TensorOp = /* @__PURE__ */ binary('logicalOr', {
  tensors: true,
  result: 'bool',
  forward: (e, a, b) => e.or(e.cast(a, 'bool'), e.cast(b, 'bool')),
});
export const logicalOr_: TensorOp = /* @__PURE__ */ inPlace(logicalOr);

/** a ⊕ b. PyTorch: torch.logical_xor. */
export const logicalXor: TensorOp = /* @__PURE__ */ binary('logicalXor', {
  tensors: true,
  result: 'bool',
  forward: (e, a, b) => e.xor(e.cast(a, 'bool'), e.cast(b, 'bool')),
});
export const logicalXor_: TensorOp = /* @__PURE__ */ inPlace(logicalXor);
