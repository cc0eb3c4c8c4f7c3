/** @file Stopping and going on: what a checkpoint of the run holds, and how a run begins from one. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type data, io, type optim, runtimes, type Tensor } from 'tessera';
import type { Classifier } from './model.js';
import type { Options } from './options.js';

/** The options that the numbers of a run depend on. A checkpoint keeps them, and a resumed run goes on with them. */
export const SETTINGS = ['epochs', 'batchSize', 'lr', 'optimizer', 'seed', 'model'] as const satisfies readonly (keyof Options)[];

/** Everything that learns, or is part of the way. */
export interface Training {
  readonly model: Classifier;
  readonly optimizer: optim.Adam | optim.AdamW | optim.SGD;
  readonly scheduler: optim.lrScheduler.LRScheduler;
  readonly loader: data.DataLoader<[images: Tensor, labels: Tensor]>;
}

/** How far a run is. */
export interface Place {
  /** The epoch that it is in, from 1; one more than there are when it has trained. */
  epoch: number;
  /** The loss of each step so far. */
  losses: number[];
  /** Images of this epoch that were recognised, and all of them so far. */
  right: number;
  seen: number;
}

/** Thrown when somebody asked the run to stop. The checkpoint was saved before. */
export class Interrupted extends Error {
  constructor(
    readonly file: string,
    place: Place,
  ) {
    super(`stopped in epoch ${place.epoch}, after ${place.losses.length} steps`);
    this.name = 'Interrupted';
  }
}

export const checkpointFile = (out: string): string => join(out, 'checkpoint.pt');

const partsOf = (training: Training): Record<string, io.CheckpointParts[string]> => ({
  ...training,
  generator: runtimes.current.generator,
});

/** Saves a run, so that a crash at any moment leaves the old checkpoint or the new one. PyTorch reads it, too. */
export function save(options: Options, training: Training, place: Place): Promise<void> {
  const settings = Object.fromEntries(SETTINGS.map((name) => [name, options[name] ?? null]));
  return io.saveCheckpoint(checkpointFile(options.out), { ...partsOf(training), place: { ...place }, settings });
}

/** A checkpoint that was found, and the options to go on with. */
export interface Resumed {
  readonly file: string;
  readonly options: Options;
  /** Gives everything the states that it had; answers how far the run was. */
  restore(training: Training): Promise<Place>;
}

/**
 * Looks at the checkpoint that `--resume` names.
 * @throws Error that names it, when there is none, or it is of a run with other options than those that were given.
 */
export async function findCheckpoint(options: Options): Promise<Resumed> {
  const { resume } = options;
  const given = typeof resume === 'string' ? resume : checkpointFile(options.out);
  const isFolder = await stat(given).then(
    (s) => s.isDirectory(),
    () => false,
  );
  const file = isFolder ? checkpointFile(given) : given;
  const failed = (cause: unknown): never => {
    throw new Error(`--resume '${file}': ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  };
  const contents = (await io.loadCheckpoint(file).catch(failed)) ?? failed('there is no such checkpoint');
  const { settings, place } = contents as { settings?: Record<string, unknown>; place?: Place };
  if (settings === undefined || !Array.isArray(place?.losses)) return failed('it is a checkpoint, but not of this program');
  const saved = Object.fromEntries(SETTINGS.map((name) => [name, settings[name] ?? undefined])) as unknown as Options;
  for (const name of SETTINGS) {
    if (options.given?.includes(name) === true && options[name] !== saved[name])
      failed(`it is of a run with ${optionName(name)} ${saved[name] ?? 'left out'}, not ${options[name]}: leave the option out`);
  }
  return {
    file,
    options: { ...options, ...saved },
    restore: async (training) => {
      await io.loadCheckpoint(file, partsOf(training) as Parameters<typeof io.loadCheckpoint>[1]).catch(failed);
      return { ...place, losses: [...place.losses] };
    },
  };
}

const optionName = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
