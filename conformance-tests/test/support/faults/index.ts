/** @file Backends that are wrong on purpose. The kit must find every one. */
import { ACCELERATED_FAULTS } from './accelerated-faults.js';
import type { Faults } from './fault.js';
import { KERNEL_FAULTS } from './kernel-faults.js';
import { MEMORY_FAULTS } from './memory-faults.js';
import { POINTWISE_FAULTS } from './pointwise-faults.js';

export type { Fault, Faults } from './fault.js';
export const FAULTS: Faults = { ...MEMORY_FAULTS, ...POINTWISE_FAULTS, ...KERNEL_FAULTS, ...ACCELERATED_FAULTS };
