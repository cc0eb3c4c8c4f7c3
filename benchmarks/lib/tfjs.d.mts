import type { Adapter } from './adapter.mjs';

/**
 * @param tf TensorFlow.js, on the backend that was set.
 * @param sync Waits until the device is done; without it a run is done when it returns.
 */
export declare function makeTf(tf: object, sync?: (() => Promise<unknown>) | null): Adapter;
