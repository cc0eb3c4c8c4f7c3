/** @file Functions of nn.utils, as Python spells them. */
import { renamed } from '@tessera/core';

/** @deprecated It is nn.utils.clipGradNorm_ here. */
export const clip_grad_norm_: never = /* @__PURE__ */ renamed('nn.utils', 'clip_grad_norm_', 'nn.utils.clipGradNorm_');
/** @deprecated It is nn.utils.clipGradValue_ here. */
export const clip_grad_value_: never = /* @__PURE__ */ renamed('nn.utils', 'clip_grad_value_', 'nn.utils.clipGradValue_');
