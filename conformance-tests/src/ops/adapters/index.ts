/** @file All adapters, by op. */
import type { Adapters } from './adapter.js';
import { CREATION } from './creation.js';
import { INDEXING } from './indexing.js';
import { METHODS } from './methods.js';
import { OPERATORS } from './operators.js';

export type { Adapter, AdapterCall } from './adapter.js';
export const ADAPTERS: Adapters = { ...OPERATORS, ...INDEXING, ...CREATION, ...METHODS };
