/// <reference types="@webgpu/types" />
/** @file An executor in the test's own thread. */
import { createExecutor, type Executor } from '../../src/device/executor.js';
import { PARTS } from '../../src/device/parts.js';
import { openHere } from './dawn.js';

const CODE = `
@group(0) @binding(0) var<storage, read_write> sums: array<f32>;
@group(0) @binding(1) var<uniform> words: array<vec4u, 64>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { sums[id.x] += f32(words[0].x); }`;

/** A device in this thread, as in a page, with one kernel, which adds 1 to the 64 numbers of buffer 2; `submit` launches and submits it. */
export async function executorHere(): Promise<{ readonly device: GPUDevice; readonly executor: Executor; readonly submit: () => void }> {
  const { device } = await openHere();
  const executor = createExecutor(device, 1, PARTS);
  executor.createPipeline(0, 0, 1, 'sums', CODE);
  executor.createBuffer(2, 256);
  const submit = (): void => {
    executor.dispatch(0, 1, 1, 1, Uint32Array.of(2), 0, 1, Uint32Array.of(1), 0, 1);
    executor.flush();
  };
  return { device, executor, submit };
}
