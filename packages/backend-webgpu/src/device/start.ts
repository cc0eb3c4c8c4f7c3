/** @file Starts a device where this code runs, or says why there is none. */
import type { AdapterFacts, DeviceQueue } from './queue.js';

export interface StartOptions {
  /** In a browser: own the device in a worker, so that `item()` and `toArray()` need no await. Needs a cross-origin isolated page. In Node it is always so. */
  readonly syncReads?: boolean;
  /** Which GPU to ask for, where there are several. */
  readonly powerPreference?: 'low-power' | 'high-performance';
  /** Profile with the device's own timestamps, where it has them; else each dispatch is submitted alone and waited for. Default true. */
  readonly timestamps?: boolean;
  /**
   * Multiply by matrix units, where the adapter has WGSL's experimental extension for them and what it computes is right; 'emulated': the same kernel
   * without the extension, slowly, for tests. Default false.
   */
  readonly subgroupMatrices?: boolean | 'emulated';
}

export type Started = { readonly queue: DeviceQueue } | { readonly reason: string };

const inNode = (): boolean => globalThis.process?.versions?.node !== undefined && typeof document === 'undefined';

/** Is there an adapter, and what is it? Starts nothing that stays. */
export async function probeAdapter(options: StartOptions = {}): Promise<{ readonly reason?: string; readonly facts?: AdapterFacts }> {
  if (inNode()) return (await import('./start.node.js')).probeNode(options);
  return (await import('./start.browser.js')).probeBrowser(options);
}

export async function startDevice(options: StartOptions = {}): Promise<Started> {
  if (inNode()) return (await import('./start.node.js')).startNode(options);
  return (await import('./start.browser.js')).startBrowser(options);
}
