/** @file Where the CLI finds the devices that it is asked for. */
import { existsSync } from 'node:fs';
import { loadPlugins, type Plugin } from '@tessera/core';
import { devicesWith, moduleOf, pluginWith } from '../subject/plugins.js';

/**
 * The plugin of a device.
 * @param from A package or a file that exports it, where the device is not one of ours.
 * @throws Error with one line for the person at the terminal
 */
export async function pluginFor(device: string, from?: string): Promise<Plugin> {
  const name = moduleOf(device, from);
  return pluginWith(device, await pluginsOf(name), name);
}

/** The devices that a package or a file brings. @throws DeviceError `ERR_PLUGIN`, `ERR_CONTRACT_VERSION` */
export async function devicesFrom(name: string): Promise<string[]> {
  return devicesWith(await pluginsOf(name), name);
}

/** `my-backend.js` is a file where there is one, and else a package. */
export const specifierOf = (name: string): string => (/^[^./\\@].*\.[cm]?[jt]s$/.test(name) && existsSync(name) ? `./${name}` : name);

const pluginsOf = (name: string): Promise<Plugin[]> => loadPlugins(specifierOf(name));
