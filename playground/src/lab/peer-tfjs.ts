/** @file TensorFlow.js as a contender. Its WebAssembly lies beside the page. */
import '@tensorflow/tfjs-backend-cpu';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import { makeTf } from '../../../benchmarks/lib/tfjs.mjs';
import type { Contender } from './time-case.js';

/** What its WebGPU backend has, and does not declare. */
interface Gpu {
  readonly commandEncoder: object | null;
  readonly device: GPUDevice;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

const MAX_THREADS = 8;

/** @throws Error when the backend does not start. */
export async function startTfjs(id: string, backend: string): Promise<Contender> {
  const at = (url: string): string => new URL(url, import.meta.url).href;
  setWasmPaths({
    'tfjs-backend-wasm.wasm': at(plain),
    'tfjs-backend-wasm-simd.wasm': at(simd),
    'tfjs-backend-wasm-threaded-simd.wasm': at(threaded),
  });
  setThreadsCount(Math.min(navigator.hardwareConcurrency, MAX_THREADS));
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js cannot start its backend ${backend} here`);
  await tf.ready();
  const finish = async (): Promise<void> => {
    const gpu = tf.backend() as unknown as Gpu;
    if (gpu.commandEncoder !== null) {
      gpu.endComputePassEncoder();
      gpu.submitQueue();
    }
    await gpu.device.queue.onSubmittedWorkDone();
  };
  return { id, ops: makeTf(tf, backend === 'webgpu' ? finish : null).ops };
}
