/** @file Debug switches. */
import { addLaunchListener, deviceWatchers } from '../plugin/device-watchers.js';
import type { Device, LaunchEvent } from '../plugin/device.js';
import { runtimes } from '../plugin/runtime.js';
import type { RemovableHandle } from '../tensor/tensor.js';
import { setTensorTracking, tensorTracking } from './tensor-tracking.js';

const handles = new Map<Device, RemovableHandle>();
let counter = 0;

function printed(device: Device, { kernel, shape, program }: LaunchEvent): void {
  const text = program === undefined ? '' : `\n${program().replaceAll(/^/gm, '    ')}`;
  debug.print(`[${device.id} #${++counter}] ${kernel} [${shape.join(', ')}]${text}`);
}

const watch = (device: Device): void =>
  void handles.set(
    device,
    addLaunchListener(device, (event) => printed(device, event)),
  );

/**
 * Switches that show what goes on inside. In Node the environment sets them too: `TESSERA_DEBUG=kernels`, `TESSERA_DEBUG=kernels,tensors`.
 *
 * @example
 * debug.kernels = true;
 * a.add(b).exp().realize();
 * // [cpu #1] pointwise [3]
 * //     %2 = add.float32 x0 x1
 * //     %3 = exp.float32 %2
 * //     out0.float32 = %3
 */
export const debug = {
  /** Print each kernel that is launched, with its shape and its program. */
  get kernels(): boolean {
    return deviceWatchers.has(watch);
  },
  set kernels(on: boolean) {
    if (on === deviceWatchers.has(watch)) return;
    if (on) {
      deviceWatchers.add(watch);
      for (const device of runtimes.current.devices) watch(device);
    } else {
      deviceWatchers.delete(watch);
      for (const handle of handles.values()) handle.remove();
      handles.clear();
    }
  },

  /** Remember where each tensor was made, for {@link memoryReport}. Slow. */
  get tensors(): boolean {
    return tensorTracking.on;
  },
  set tensors(on: boolean) {
    setTensorTracking(on);
  },

  /** Where the texts go. Default: standard error. */
  print: (text: string): void => console.error(text),
};

for (const name of (globalThis.process?.env?.['TESSERA_DEBUG'] ?? '').split(',')) {
  if (name === 'kernels') debug.kernels = true;
  else if (name === 'tensors') debug.tensors = true;
}
