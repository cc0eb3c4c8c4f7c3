/** @file Nothing that a case made may be left: tensors are disposed of at its end, and the device must have the buffers that it had before. */
import { Scope, scopes, type Device } from '@tessera/core';
import { Mismatch } from './result.js';

/**
 * Runs `body` with a scope that tracks every tensor made in it, those after an await included: the kit runs one case at a time.
 *
 * @throws Mismatch when buffers are left at the end.
 */
export async function leakFree<T>(device: Device, body: () => Promise<T>): Promise<T> {
  await device.backend.synchronize();
  const before = device.memory().buffers;
  const scope = new Scope();
  const outer = scopes.current;
  scopes.current = scope;
  let result: T;
  try {
    result = await body();
  } finally {
    scopes.current = outer;
    scope.end(undefined, null);
  }
  await checkBuffers(device, before);
  return result;
}

/** What only the collector can free (values that were deferred and never computed) is no leak: it gets its chance. */
async function checkBuffers(device: Device, before: number): Promise<void> {
  for (let round = 0; device.memory().buffers > before && round < 3; round++) await collect();
  const left = device.memory().buffers - before;
  if (left > 0) throw new Mismatch(`leak: ${left} buffer${left === 1 ? '' : 's'} left after the case`);
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
