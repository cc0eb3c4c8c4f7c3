/** @file Where the CLI finds the devices that it is asked for. */
import type { Plugin } from '@tessera/core';

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
  const module = await load(name);
  const plugin = Object.values(module).find(isPlugin);
  if (plugin === undefined) throw new Error(`'${name}' exports no plugin ({ name, version, contract, register })`);
  return plugin;
}

async function load(name: string): Promise<Readonly<Record<string, unknown>>> {
  const path = await import('node:path');
  const { pathToFileURL } = await import('node:url');
  const specifier = /^(\.|\/)/.test(name) ? pathToFileURL(path.resolve(name)).href : name;
  try {
    return (await import(/* @vite-ignore */ specifier)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new Error(`'${name}' does not load: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`, { cause: error });
  }
}

function isPlugin(value: unknown): value is Plugin {
  return typeof value === 'object' && value !== null && 'register' in value && 'contract' in value;
}
