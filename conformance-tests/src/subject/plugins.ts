/** @file The plugins that a module exports, and the devices that they bring. */
import * as core from '@tessera/core';
import { DeviceError, type Plugin, Runtime } from '@tessera/core';

/** The package of each device that Tessera ships. Any other comes with `--plugin`. */
export const PACKAGES: Readonly<Record<string, string>> = {
  cpu: '@tessera/backend-cpu',
  wasm: '@tessera/backend-wasm',
  webgpu: '@tessera/backend-webgpu',
};

export const DEVICES = Object.keys(PACKAGES);

/** The package or file that a device is to be found in. @throws Error with one line for the person at the terminal */
export function moduleOf(device: string, from?: string): string {
  const name = PACKAGES[device] ?? from;
  if (name === undefined) throw new Error(`unknown device '${device}': it must be ${DEVICES.join(', ')}, or come with --plugin NAME`);
  return name;
}

/** Of the plugins of module `name`, that which brings a device. @throws DeviceError `ERR_PLUGIN` */
export function pluginWith(device: string, plugins: readonly Plugin[], name: string): Plugin {
  const found = plugins.find((one) => devicesOf(one).includes(device));
  if (found !== undefined) return found;
  const ids = plugins.flatMap(devicesOf).join(', ') || 'none';
  throw new DeviceError('ERR_PLUGIN', `'${name}' brings no device '${device}'; it brings: ${ids}`, { device });
}

/** The devices that the plugins of module `name` bring. @throws DeviceError `ERR_PLUGIN` */
export function devicesWith(plugins: readonly Plugin[], name: string): string[] {
  const ids = plugins.flatMap(devicesOf);
  if (ids.length === 0) throw new DeviceError('ERR_PLUGIN', `'${name}' brings no device`);
  return ids;
}

const devicesOf = (plugin: Plugin): string[] => new Runtime(core).use(plugin).backendIds;
