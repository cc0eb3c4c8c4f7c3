/** @file Comparisons, elementwise. Results are bool; in-place forms keep their dtype, and hold 0 and 1. */
import { binary, type BinaryOp, inPlace } from './define.js';

/** a = b, elementwise; bool. PyTorch: torch.eq. */
export const eq: BinaryOp = /* @__PURE__ */ binary('eq', { result: 'bool', forward: (e, a, b) => e.eq(a, b) });
export const eq_: BinaryOp = /* @__PURE__ */ inPlace(eq);
/** a ≠ b. PyTorch: torch.ne. */
export const ne: BinaryOp = /* @__PURE__ */ binary('ne', { result: 'bool', forward: (e, a, b) => e.ne(a, b) });
export const ne_: BinaryOp = /* @__PURE__ */ inPlace(ne);
/** a < b. PyTorch: torch.lt. */
export const lt: BinaryOp = /* @__PURE__ */ binary('lt', { result: 'bool', forward: (e, a, b) => e.lt(a, b) });
export const lt_: BinaryOp = /* @__PURE__ */ inPlace(lt);
/** a ≤ b. PyTorch: torch.le. */
export const le: BinaryOp = /* @__PURE__ */ binary('le', { result: 'bool', forward: (e, a, b) => e.le(a, b) });
export const le_: BinaryOp = /* @__PURE__ */ inPlace(le);
/** a > b. PyTorch: torch.gt. */
export const gt: BinaryOp = /* @__PURE__ */ binary('gt', { result: 'bool', forward: (e, a, b) => e.gt(a, b) });
export const gt_: BinaryOp = /* @__PURE__ */ inPlace(gt);
/** a ≥ b. PyTorch: torch.ge. */
export const ge: BinaryOp = /* @__PURE__ */ binary('ge', { result: 'bool', forward: (e, a, b) => e.ge(a, b) });
export const ge_: BinaryOp = /* @__PURE__ */ inPlace(ge);

// PyTorch's other names.
/** PyTorch: torch.not_equal. */
export const notEqual: BinaryOp = ne;
export const notEqual_: BinaryOp = ne_;
/** PyTorch: torch.greater. */
export const greater: BinaryOp = gt;
export const greater_: BinaryOp = gt_;
/** PyTorch: torch.greater_equal. */
export const greaterEqual: BinaryOp = ge;
export const greaterEqual_: BinaryOp = ge_;
/** PyTorch: torch.less. */
export const less: BinaryOp = lt;
export const less_: BinaryOp = lt_;
/** PyTorch: torch.less_equal. */
export const lessEqual: BinaryOp = le;
export const lessEqual_: BinaryOp = le_;
