/** @file Parts of torch.optim, as Python spells them. */
import { renamed } from '@tessera/core';

/** @deprecated It is optim.lrScheduler here. */
export const lr_scheduler: never = /* @__PURE__ */ renamed('optim', 'lr_scheduler', 'optim.lrScheduler');
/** @deprecated It is optim.swaUtils here. */
export const swa_utils: never = /* @__PURE__ */ renamed('optim', 'swa_utils', 'optim.swaUtils');
