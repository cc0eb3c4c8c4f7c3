/** @file In the page or its worker: does a task with the modules that were bundled with it. */
import { DeviceError, FormatError, isTesseraError, type Plugin } from '@tessera/core';
import { type FixtureFiles, fixtureSource } from '../fixtures/index.js';
import { runConformance } from '../run.js';
import { devicesWith, pluginWith } from '../subject/plugins.js';
import type { Answer, Report, Task } from './task.js';

/** The modules of the devices, by the names that the command was given. */
export type Modules = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The whole of a task; an error is an answer too. */
export async function runTask(task: Task, modules: Modules, report: (report: Report) => void): Promise<Answer> {
  try {
    const plugins = pluginsIn(modules[task.module]!, task.module);
    if (task.kind === 'devices') return { devices: devicesWith(plugins, task.module) };
    const card = await runConformance({
      ...task.selection,
      plugin: pluginWith(task.device, plugins, task.module),
      device: task.device,
      ...(task.backendOptions && { backendOptions: task.backendOptions }),
      fixtures: fixtureSource(servedFiles),
      onCase: (result, { level, name }) => report({ kind: 'case', result, suite: { level, name } }),
      onFailure: (failure, { level, name }) => report({ kind: 'failure', failure, suite: { level, name } }),
      onRow: (row, progress) => report({ kind: 'row', row, progress }),
    });
    return { card };
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    return { error: { message, ...(stack !== undefined && { stack }), ...(isTesseraError(error) && { code: error.code }) } };
  }
}

/** As `loadPlugins` picks them in Node. */
function pluginsIn(exported: Readonly<Record<string, unknown>>, name: string): Plugin[] {
  const isPlugin = (x: unknown): x is Plugin =>
    typeof x === 'object' && x !== null && typeof (x as Partial<Plugin>).register === 'function' && 'contract' in x && 'name' in x;
  const plugins = [...new Set(Object.values(exported))].filter(isPlugin);
  if (plugins.length === 0) throw new DeviceError('ERR_PLUGIN', `'${name}' exports no plugin ({ name, version, contract, register })`);
  return plugins;
}

/** The reference data as the command's server has them: unpacked, and with a list of each folder. */
const servedFiles: FixtureFiles = {
  read: async (path) => new Uint8Array(await (await get(path)).arrayBuffer()),
  list: async (folder) => (await (await get(`${folder}/`)).json()) as string[],
};

async function get(path: string): Promise<Response> {
  const response = await fetch(`/fixtures/${path}`);
  if (response.ok) return response;
  const { code, message } = (await response.json()) as { code: string; message: string };
  throw new FormatError(code, message, { file: path });
}
