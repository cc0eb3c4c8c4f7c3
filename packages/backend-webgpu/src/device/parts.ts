/** @file What an executor is made of, as functions for this thread and as source text for a worker's. */
import { createAllocator } from './allocator.js';
import { createBindings } from './bindings.js';
import { createDispatchTimer } from './dispatch-timer.js';
import { createExecutor, type ExecutorParts } from './executor.js';
import { createPacer } from './pacer.js';
import { serve } from './serve.js';
import { createStaging } from './staging.js';

export const PARTS: ExecutorParts = { createAllocator, createBindings, createStaging, createPacer, createDispatchTimer };

/** Declares `createExecutor`, `parts` and `serve`. None of these functions uses anything from outside of itself. */
export const workerSource = (): string => `
  const createExecutor = ${createExecutor.toString()};
  const parts = {
    createAllocator: ${createAllocator.toString()},
    createBindings: ${createBindings.toString()},
    createStaging: ${createStaging.toString()},
    createPacer: ${createPacer.toString()},
    createDispatchTimer: ${createDispatchTimer.toString()},
  };
  const serve = ${serve.toString()};
`;
