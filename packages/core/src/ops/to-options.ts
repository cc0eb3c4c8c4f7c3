/** @file What `to` takes, of tensors and of modules. */
import type { OptionNames } from '../options.js';
import type { DeviceLike } from '../plugin/runtime.js';
import type { DType } from '../tensor/dtype.js';

export interface ToOptions {
  readonly device?: DeviceLike;
  readonly dtype?: DType;
}

export const TO_OPTIONS: OptionNames<ToOptions> = { device: true, dtype: true };
