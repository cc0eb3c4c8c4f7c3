/** @file Who wants to see each device, those that start later too: profilers and debug switches. */
import type { RemovableHandle } from '../tensor/tensor.js';
import type { Device, LaunchEvent } from './device.js';

/** Called with each device that a runtime starts. */
export const deviceWatchers = new Set<(device: Device) => void>();

type Listener = (event: LaunchEvent) => void;
const listeners = new WeakMap<Device, Set<Listener>>();

/** Tells `listener` of each launch on `device`, beside all others who listen. */
export function addLaunchListener(device: Device, listener: Listener): RemovableHandle {
  let all = listeners.get(device);
  if (all === undefined) listeners.set(device, (all = new Set()));
  const others = all;
  const tell = tellers.get(others) ?? ((event: LaunchEvent): void => others.forEach((each) => each(event)));
  tellers.set(others, tell);
  // Whoever set the device's own slot goes on being told.
  if (device.onLaunch !== null && device.onLaunch !== tell) others.add(device.onLaunch);
  device.onLaunch = tell;
  others.add(listener);
  return {
    remove: () => {
      others.delete(listener);
      if (others.size === 0 && device.onLaunch === tell) device.onLaunch = null;
    },
  };
}
const tellers = new WeakMap<Set<Listener>, Listener>();
