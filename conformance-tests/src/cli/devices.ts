/** @file Where the CLI finds the devices that it is asked for. */
import { existsSync } from 'node:fs';
import * as core from '@tessera/core';
import { loadPlugins, type Plugin, Runtime } from '@tessera/core';

/** The package of each device that Tessera ships. Any other comes with `--plugin`. */
const PACKAGES: Readonly<Record<string, string>> = {
  cpu: '@tessera/backend-cpu',
  wasm: '@tessera/backend-wasm',
  webgpu: '@tessera/backend-webgpu',
};

export const DEVICES = Object.keys(PACKAGES);

/**
 * The plugin of a device.
 * @param from A package or a file that exports it, where the device is not one of ours.
 * @throws Error with one line for the person at the terminal
 */
export async function pluginFor(device: string, from?: string): Promise<Plugin> {
  const name = PACKAGES[device] ?? from;
  if (name === undefined) throw new Error(`unknown device '${device}': it must be ${DEVICES.join(', ')}, or come with --plugin NAME`);
  const plugins = await pluginsOf(name);
  const plugin = plugins.find((one) => devicesOf(one).includes(device)) ?? plugins[0];
  const ids = devicesOf(plugin);
  if (!ids.includes(device)) throw new Error(`'${name}' brings no device '${device}'; it brings: ${ids.join(', ') || 'none'}`);
  return plugin;
}

/** The devices that a package or a file brings. @throws DeviceError `ERR_PLUGIN`, `ERR_CONTRACT_VERSION` */
export async function devicesFrom(name: string): Promise<string[]> {
  const ids = (await pluginsOf(name)).flatMap(devicesOf);
  if (ids.length === 0) throw new Error(`'${name}' brings no device`);
  return ids;
}

/** `my-backend.js` is a file where there is one, and else a package. */
const pluginsOf = (name: string): Promise<Plugin[]> =>
  loadPlugins(/^[^./\\@].*\.[cm]?js$/.test(name) && existsSync(name) ? `./${name}` : name);

const devicesOf = (plugin: Plugin): string[] => new Runtime(core).use(plugin).backendIds;
