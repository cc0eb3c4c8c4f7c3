/** @file All functions by name. Those of float32 end in `_f32`. */
import type { VectorFunction } from './library.js';
import { FLOAT32_BY_FLOAT64 } from './float32-by-float64.js';
import { FLOAT32_FUNCTIONS } from './float32.js';
import { EXPONENTIAL_FUNCTIONS } from './float64-exponential.js';
import * as special from './float64-special.js';
import { TRIGONOMETRIC_FUNCTIONS } from './float64-trigonometry.js';

type Functions = Readonly<Record<string, VectorFunction>>;

export const ELEMENTARY_FUNCTIONS: Functions = /* @__PURE__ */ Object.assign(
  {},
  FLOAT32_FUNCTIONS,
  FLOAT32_BY_FLOAT64,
  EXPONENTIAL_FUNCTIONS,
  TRIGONOMETRIC_FUNCTIONS,
);

/** With the elementary ones, on which they stand. */
export const SPECIAL_FUNCTIONS: Functions = /* @__PURE__ */ Object.assign({}, ELEMENTARY_FUNCTIONS, special.SPECIAL_FUNCTIONS);
