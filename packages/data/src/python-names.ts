/** @file Functions of torch.utils.data, as Python spells them. */
import { renamed } from '@tessera/core';

/** @deprecated It is data.randomSplit here. */
export const random_split: never = /* @__PURE__ */ renamed('data', 'random_split', 'data.randomSplit');
/** @deprecated It is data.defaultCollate here. */
export const default_collate: never = /* @__PURE__ */ renamed('data', 'default_collate', 'data.defaultCollate');
