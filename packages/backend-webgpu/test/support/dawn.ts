/// <reference types="@webgpu/types" />
/** @file Dawn in the test's own thread. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { openDevice, type OpenOptions } from '../../src/device/adapter.js';
import type { AdapterFacts } from '../../src/device/queue.js';

/** A collected instance takes the process with it. */
const held: GPU[] = [];

/**
 * A device, and what is known of its adapter. `instance` are Dawn's own options: with `backend=null` it has every extension, and checks all that it is
 * given as any device does, WGSL by the same compiler, but computes nothing.
 */
export async function openHere(
  instance: readonly string[] = [],
  options: OpenOptions = {},
): Promise<{ readonly device: GPUDevice; readonly facts: AdapterFacts }> {
  const { create, globals } = (await import(pathToFileURL(createRequire(import.meta.url).resolve('webgpu')).href)) as {
    readonly create: (options: readonly string[]) => GPU;
    readonly globals: object;
  };
  Object.assign(globalThis, globals);
  const gpu = create(instance);
  held.push(gpu);
  return (await openDevice(gpu, options)) as { device: GPUDevice; facts: AdapterFacts };
}
