/** @file The plugins that a module exports, and the devices that they bring. */
import * as core from '@tessera/core';
import { type Plugin, Runtime } from '@tessera/core';

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

/** Of the plugins of module `name`, that which brings a device. @throws Error with one line for the person at the terminal */
export function pluginWith(device: string, plugins: readonly Plugin[], name: string): Plugin {
  const plugin = plugins.find((one) => devicesOf(one).includes(device)) ?? plugins[0]!;
  const ids = devicesOf(plugin);
  if (!ids.includes(device)) throw new Error(`'${name}' brings no device '${device}'; it brings: ${ids.join(', ') || 'none'}`);
  return plugin;
}

/** The devices that the plugins of module `name` bring. @throws Error with one line for the person at the terminal */
export function devicesWith(plugins: readonly Plugin[], name: string): string[] {
  const ids = plugins.flatMap(devicesOf);
  if (ids.length === 0) throw new Error(`'${name}' brings no device`);
  return ids;
}

const devicesOf = (plugin: Plugin): string[] => new Runtime(core).use(plugin).backendIds;
