/** @file Functions of torch that everyone types, as Python spells them. */
import { renamed } from '@tessera/core';

/** @deprecated It is noGrad here. */
export const no_grad: never = /* @__PURE__ */ renamed('torch', 'no_grad', 'noGrad');
/** @deprecated It is manualSeed here. */
export const manual_seed: never = /* @__PURE__ */ renamed('torch', 'manual_seed', 'manualSeed');
/** @deprecated It is isTensor here. */
export const is_tensor: never = /* @__PURE__ */ renamed('torch', 'is_tensor', 'isTensor');
/** @deprecated It is setGradEnabled here. */
export const set_grad_enabled: never = /* @__PURE__ */ renamed('torch', 'set_grad_enabled', 'setGradEnabled');
/** @deprecated It is inferenceMode here. */
export const inference_mode: never = /* @__PURE__ */ renamed('torch', 'inference_mode', 'inferenceMode');
/** @deprecated It is enableGrad here. */
export const enable_grad: never = /* @__PURE__ */ renamed('torch', 'enable_grad', 'enableGrad');
/** @deprecated It is zerosLike here. */
export const zeros_like: never = /* @__PURE__ */ renamed('torch', 'zeros_like', 'zerosLike');
/** @deprecated It is onesLike here. */
export const ones_like: never = /* @__PURE__ */ renamed('torch', 'ones_like', 'onesLike');
/** @deprecated It is randLike here. */
export const rand_like: never = /* @__PURE__ */ renamed('torch', 'rand_like', 'randLike');
/** @deprecated It is randnLike here. */
export const randn_like: never = /* @__PURE__ */ renamed('torch', 'randn_like', 'randnLike');
/** @deprecated It is fullLike here. */
export const full_like: never = /* @__PURE__ */ renamed('torch', 'full_like', 'fullLike');
/** @deprecated It is emptyLike here. */
export const empty_like: never = /* @__PURE__ */ renamed('torch', 'empty_like', 'emptyLike');
/** @deprecated It is indexSelect here. */
export const index_select: never = /* @__PURE__ */ renamed('torch', 'index_select', 'indexSelect');
/** @deprecated It is maskedSelect here. */
export const masked_select: never = /* @__PURE__ */ renamed('torch', 'masked_select', 'maskedSelect');
/** @deprecated It is logSoftmax here. */
export const log_softmax: never = /* @__PURE__ */ renamed('torch', 'log_softmax', 'logSoftmax');
/** @deprecated It is tensor here. */
export const from_numpy: never = /* @__PURE__ */ renamed('torch', 'from_numpy', 'tensor');
/** @deprecated It is isGradEnabled here. */
export const is_grad_enabled: never = /* @__PURE__ */ renamed('torch', 'is_grad_enabled', 'isGradEnabled');
