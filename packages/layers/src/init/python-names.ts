/** @file Functions of nn.init, as Python spells them. */
import { renamed } from '@tessera/core';

/** @deprecated It is nn.init.xavierUniform_ here. */
export const xavier_uniform_: never = /* @__PURE__ */ renamed('nn.init', 'xavier_uniform_', 'nn.init.xavierUniform_');
/** @deprecated It is nn.init.xavierNormal_ here. */
export const xavier_normal_: never = /* @__PURE__ */ renamed('nn.init', 'xavier_normal_', 'nn.init.xavierNormal_');
/** @deprecated It is nn.init.kaimingUniform_ here. */
export const kaiming_uniform_: never = /* @__PURE__ */ renamed('nn.init', 'kaiming_uniform_', 'nn.init.kaimingUniform_');
/** @deprecated It is nn.init.kaimingNormal_ here. */
export const kaiming_normal_: never = /* @__PURE__ */ renamed('nn.init', 'kaiming_normal_', 'nn.init.kaimingNormal_');
/** @deprecated It is nn.init.truncNormal_ here. */
export const trunc_normal_: never = /* @__PURE__ */ renamed('nn.init', 'trunc_normal_', 'nn.init.truncNormal_');
