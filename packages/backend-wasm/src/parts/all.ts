/** @file The whole backend. */
import {
  attention,
  convolutions,
  elementaryFunctions,
  indexing,
  pooling,
  products,
  reductions,
  rows,
  scans,
  sorting,
  specialFunctions,
  threads,
  transposes,
  winograd,
} from '../parts.js';
import type { WasmPart } from './part.js';

export const ALL_PARTS: readonly WasmPart[] = [
  elementaryFunctions,
  specialFunctions,
  reductions,
  scans,
  products,
  indexing,
  sorting,
  convolutions,
  winograd,
  pooling,
  rows,
  attention,
  threads,
  transposes,
];
