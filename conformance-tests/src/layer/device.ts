/** @file The devices on which layers are tried. */
import { cpuPlugin } from '@tessera/backend-cpu';
import * as core from '@tessera/core';
import { type Device, type Plugin, Runtime, runtimes } from '@tessera/core';

/** Plugins of the devices that have a package here, loaded when they are wanted. */
const SHIPPED: Readonly<Record<string, () => Promise<Plugin>>> = {
  cpu: async () => cpuPlugin,
  wasm: async () => (await import('@tessera/backend-wasm')).wasmPlugin,
  webgpu: async () => (await import('@tessera/backend-webgpu')).webgpuPlugin,
};

/** Runs a test in a runtime of its own, with the first of the devices as the default one. */
export async function withDevice(
  devices: readonly string[],
  plugins: readonly Plugin[],
  body: (device: Device) => Promise<void>,
): Promise<void> {
  const outer = runtimes.current;
  const runtime = new Runtime(core);
  runtimes.current = runtime;
  try {
    for (const plugin of plugins) runtime.use(plugin);
    for (const id of devices) if (!runtime.backendIds.includes(id) && SHIPPED[id] !== undefined) runtime.use(await SHIPPED[id]());
    await body(await runtime.init({ device: devices[0] }));
  } finally {
    runtimes.current = outer;
    await runtime.dispose();
  }
}

/** Those of the devices that can run here, started. */
export async function runningDevices(ids: readonly string[]): Promise<Device[]> {
  const runtime = runtimes.current;
  const states = new Map((await runtime.backends()).map(({ id, availability }) => [id, availability.available]));
  const running: Device[] = [];
  for (const id of ids) if (states.get(id) === true) running.push(await runtime.start(id));
  return running;
}
