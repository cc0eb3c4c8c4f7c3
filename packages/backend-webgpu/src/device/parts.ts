/** @file What an executor is made of, as functions for this thread and as source text for a worker's. */
import { createAllocator } from './allocator.js';
import { createBindings } from './bindings.js';
import { createCompiler } from './compiler.js';
import { createDispatchTimer } from './dispatch-timer.js';
import { createExecutor, type ExecutorParts } from './executor.js';
import { createFaults } from './faults.js';
import { createPacer } from './pacer.js';
import { serve } from './serve.js';
import { createStaging } from './staging.js';

export const PARTS: ExecutorParts = {
  createAllocator,
  createBindings,
  createCompiler,
  createFaults,
  createStaging,
  createPacer,
  createDispatchTimer,
};

/** Declares `createExecutor`, `parts` and `serve`. None of these functions uses anything from outside of itself. */
export const workerSource = (): string => `
  const createExecutor = ${createExecutor.toString()};
  const parts = {
${Object.entries(PARTS)
  .map(([name, part]: [string, (...args: never[]) => unknown]) => `    ${name}: ${part.toString()},`)
  .join('\n')}
  };
  const serve = ${serve.toString()};
`;
