/** @file The backends of a worker's runtime, each with what it is on this machine, in words. */
import { probeAdapter } from '@tessera/backend-webgpu';
import { runtimes } from 'tessera';
import type { BackendRow } from './reports.js';

const MAX_THREADS = 8;

async function describe(id: string, version: string | undefined): Promise<string> {
  if (id === 'cpu') return 'Plain TypeScript, one thread';
  if (id === 'wasm') {
    const threads = globalThis.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MAX_THREADS) : 1;
    const shared = globalThis.crossOriginIsolated ? '' : ' (more need cross-origin isolation)';
    return `WebAssembly SIMD, ${threads} thread${threads === 1 ? '' : 's'}${shared}`;
  }
  if (id === 'webgpu') {
    const { facts } = await probeAdapter();
    if (facts === undefined) return 'The GPU, through WebGPU';
    return `WebGPU on ${facts.description || 'a GPU without a name'}`;
  }
  return `From a plugin${version === undefined ? '' : `, version ${version}`}`;
}

export async function backendRows(): Promise<BackendRow[]> {
  const all = await runtimes.current.backends();
  return Promise.all(
    all.map(async ({ id, version, availability }) => ({
      id,
      version,
      description: await describe(id, version),
      ...(availability.available ? availability.slow !== undefined && { slow: availability.slow } : { unavailable: availability.reason }),
    })),
  );
}
