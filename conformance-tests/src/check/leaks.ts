/** @file Nothing that a case made may be left: tensors are disposed of at its end, and the device must have the buffers that it had before. */
import { type BackendBuffer, type Device, Scope, scopes } from '@tessera/core';
import { Mismatch } from './result.js';

/**
 * Runs `body` with a scope that tracks every tensor made in it, those after an await included: the kit runs one case at a time.
 *
 * @throws Mismatch when buffers are left at the end; it says where they were allocated.
 */
export async function leakFree(device: Device, body: () => Promise<void>): Promise<void> {
  if ((await leftBy(device, body)) === 0) return;
  // Once more, noting where each buffer comes from.
  const trace = traceAllocations(device);
  try {
    const left = await leftBy(device, body);
    if (left > 0) throw new Mismatch(`leak: ${left} buffer${left === 1 ? '' : 's'} left after the case${trace.report()}`);
  } finally {
    trace.end();
  }
}

/** Runs `body`, and disposes of every tensor made in it, those after an await included. */
export async function tracked<T>(body: () => Promise<T>): Promise<T> {
  const scope = new Scope();
  const outer = scopes.current;
  scopes.current = scope;
  try {
    return await body();
  } finally {
    scopes.current = outer;
    scope.end(undefined, null);
  }
}

/** How many buffers more there are after `body` than there were before. */
async function leftBy(device: Device, body: () => Promise<void>): Promise<number> {
  await device.backend.synchronize();
  const before = device.memory().buffers;
  await tracked(body);
  // What only the collector can free (values that were deferred and never computed) is no leak: it gets its chance.
  for (let round = 0; device.memory().buffers > before && round < 3; round++) await collect();
  return device.memory().buffers - before;
}

/** How many of the buffers that are left a report names. */
const SHOWN = 3;

/** Notes where buffers are allocated, until `end`. */
function traceAllocations({ backend }: Device): { report(): string; end(): void } {
  const live = new Map<BackendBuffer, string>();
  const traced = backend as { allocate: typeof backend.allocate; free: typeof backend.free };
  const { allocate, free } = traced;
  traced.allocate = (dtype, length) => {
    const buffer = allocate.call(backend, dtype, length);
    const frames = new Error('allocation').stack?.split('\n').slice(2, 9) ?? [];
    live.set(buffer, `${dtype}[${length}] ${frames.map((line) => line.trim()).join(' < ')}`);
    return buffer;
  };
  traced.free = (buffer) => {
    live.delete(buffer);
    free.call(backend, buffer);
  };
  return {
    report: () => {
      if (live.size === 0) return ': all of them were freed, and stayed on the backend’s account';
      const lines = [...live.values()].slice(0, SHOWN);
      if (live.size > SHOWN) lines.push(`and ${live.size - SHOWN} more`);
      return lines.map((line) => `\n      ${line}`).join('');
    },
    end: () => Object.assign(traced, { allocate, free }),
  };
}

let collector: (() => void) | null | undefined;

async function collect(): Promise<void> {
  collector ??= await findCollector();
  collector?.();
  // Finalizers run in a task of their own.
  await new Promise((resolve) => setTimeout(resolve, 0));
}

async function findCollector(): Promise<(() => void) | null> {
  if (typeof globalThis.gc === 'function') return () => globalThis.gc?.();
  try {
    const { setFlagsFromString } = await import('node:v8');
    const { runInNewContext } = await import('node:vm');
    setFlagsFromString('--expose-gc');
    return runInNewContext('gc') as () => void;
  } catch {
    return null;
  }
}
