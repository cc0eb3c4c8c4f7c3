/** @file Where the command runs the suite: here in Node, or in a browser. */
import type { Plugin } from '@tessera/core';
import { startSession } from '../browser/session.js';
import type { Scorecard } from '../report/scorecard.js';
import { type Progress, runConformance, type Selection } from '../run.js';
import { moduleOf } from '../subject/plugins.js';
import type { SubjectSource } from '../subject/start.js';
import { type Arguments, backendOptionsOf, type CliContext } from './arguments.js';
import { devicesFrom, pluginFor, specifierOf } from './devices.js';

export interface Place {
  /** Those that were asked for, or all that the plugin brings. */
  readonly devices: readonly string[];
  /** The suite on one of them. @throws DeviceError where it does not start */
  run(device: string, selection: Selection, progress: Progress): Promise<Scorecard>;
  close(): Promise<void>;
}

/** @throws Error with one line for the person at the terminal */
export const placeOf = (given: Arguments, context: CliContext): Promise<Place> =>
  given.browser === undefined ? inNode(given, context) : inBrowser(given);

/** A device in Node, started by its plugin. @throws Error with one line for the person at the terminal */
export async function subjectOf(device: string, given: Arguments, { plugins }: CliContext): Promise<SubjectSource & { device: string }> {
  const plugin: Plugin = plugins?.[device] ?? (await pluginFor(device, given.plugin));
  const backendOptions = backendOptionsOf(given);
  return { plugin, device, ...(backendOptions && { backendOptions }) };
}

async function inNode(given: Arguments, context: CliContext): Promise<Place> {
  const subjects = new Map<string, SubjectSource>();
  for (const device of namedDevices(given) ?? (await devicesFrom(given.plugin!)))
    subjects.set(device, await subjectOf(device, given, context));
  return {
    devices: [...subjects.keys()],
    run: (device, selection, progress) => runConformance({ ...selection, ...progress, ...subjects.get(device)!, name: device }),
    close: async () => {},
  };
}

async function inBrowser(given: Arguments): Promise<Place> {
  const plugin = given.plugin === undefined ? undefined : specifierOf(given.plugin);
  const named = namedDevices(given);
  const session = await startSession({
    modules: [...new Set(named?.map((device) => moduleOf(device, plugin)) ?? [plugin!])],
    thread: given.browser === 'page' ? 'page' : 'worker',
    ...(given.fixtures !== undefined && { fixtures: given.fixtures }),
  });
  const backendOptions = backendOptionsOf(given);
  try {
    return {
      devices: named ?? (await session.devices(plugin!)),
      run: (device, { fixtures: _, ...selection }, progress) =>
        session.run(
          {
            module: moduleOf(device, plugin),
            device,
            selection: { ...selection, name: device },
            ...(backendOptions && { backendOptions }),
          },
          progress,
        ),
      close: () => session.close(),
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** The devices of the command; undefined where the plugin is to say which it has. */
const namedDevices = ({ device, plugin }: Arguments): readonly string[] | undefined =>
  device.length > 0 ? device : plugin === undefined ? ['cpu'] : undefined;
