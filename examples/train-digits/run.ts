/** @file The whole run: data, training, test, weights, loss curve. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { data, init, io, manualSeed, optim, type Tensor } from 'tessera';
import { checkpointFile, findCheckpoint, Interrupted, type Place, save, type Training } from './checkpoint.js';
import { loadDigits } from './digits.js';
import { svgCurve, terminalCurve } from './loss-curve.js';
import { type Classifier, modelMaker } from './model.js';
import type { Options } from './options.js';
import { evaluate, type Progress, trainEpoch } from './train.js';

/** How a run shows itself. */
export interface Display {
  print(text: string): void;
  /** `done`: steps that were taken of it before the run was stopped. */
  epochStarts(epoch: { readonly epoch: number; readonly epochs: number; readonly steps: number; readonly done: number }): void;
  step(progress: Progress): void;
  epochEnds(epoch: number, meanLoss: number, last: Progress): void;
}

export interface Outcome {
  readonly losses: readonly number[];
  /** On the test split, from 0 to 1. */
  readonly accuracy: number;
}

export const percent = (x: number): string => `${(100 * x).toFixed(2)} %`;

function makeOptimizer(model: Classifier, { optimizer, lr }: Options): optim.Adam | optim.AdamW | optim.SGD {
  if (optimizer === 'adam') return new optim.Adam(model.parameters(), { lr });
  if (optimizer === 'adamw') return new optim.AdamW(model.parameters(), { lr });
  return new optim.SGD(model.parameters(), { lr, momentum: 0.9 });
}

/** Saves the weights, loads them into another model, and checks that it is as good. */
async function saveAndCheck(
  model: Classifier,
  loaded: Classifier,
  file: string,
  accuracy: number,
  loader: data.DataLoader<[Tensor, Tensor]>,
): Promise<void> {
  await writeFile(file, await io.saveSafetensorsAsync(model.stateDict(), { metadata: { format: 'pt' } }));
  loaded.loadStateDict(io.loadSafetensors(await readFile(file)));
  const again = await evaluate(loaded, loader);
  if (again !== accuracy) throw new Error(`the saved weights give ${percent(again)}, the trained ones ${percent(accuracy)}`);
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new Error(`--out '${folder}' cannot be made (${code}); allowed is a folder that can be written to`, { cause });
  }
}

/** What is to be trained, as a run begins. */
function begin(options: Options, make: () => Classifier, digits: data.TensorDataset): Training {
  manualSeed(options.seed);
  const model = make();
  const optimizer = makeOptimizer(model, options);
  const loader = new data.DataLoader<[Tensor, Tensor]>(digits, { batchSize: options.batchSize, shuffle: true });
  const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, options.epochs * loader.length);
  return { model, optimizer, scheduler, loader };
}

/** Trains from `place` to the last epoch, with a checkpoint after each. @throws Interrupted after the `signal`, with one saved. */
async function train(options: Options, training: Training, place: Place, display: Display, signal: AbortSignal | undefined): Promise<void> {
  const { loader } = training;
  const stopIfAsked = async (): Promise<void> => {
    if (signal?.aborted !== true) return;
    await save(options, training, place);
    throw new Interrupted(checkpointFile(options.out), place);
  };
  await stopIfAsked();
  while (place.epoch <= options.epochs) {
    const { epoch } = place;
    display.epochStarts({ epoch, epochs: options.epochs, steps: loader.length, done: loader.stateDict().batches });
    let last: Progress | undefined;
    await trainEpoch(training, place, (progress) => display.step((last = progress)), signal);
    await stopIfAsked();
    const own = place.losses.slice((epoch - 1) * loader.length);
    // A run that was stopped after the last step of an epoch takes no more step in it.
    const none: Progress = { epoch, loss: own.at(-1)!, accuracy: place.right / place.seen, imagesPerSecond: 0 };
    display.epochEnds(epoch, own.reduce((a, b) => a + b, 0) / own.length, last ?? none);
    Object.assign(place, { epoch: epoch + 1, right: 0, seen: 0 } satisfies Partial<Place>);
    await save(options, training, place);
  }
}

/**
 * Trains, tests, and writes what came of it.
 * @param signal Ends the run after the step that it is in.
 * @throws Interrupted when it did; the checkpoint to go on from is saved.
 */
export async function run(wanted: Options, display: Display, signal?: AbortSignal): Promise<Outcome> {
  const device = await init({ device: wanted.device });
  const resumed = wanted.resume === undefined ? undefined : await findCheckpoint(wanted);
  await makeFolder(wanted.out);
  const options = resumed?.options ?? wanted;
  const make = await modelMaker(options.model);
  const digits = await loadDigits();
  const training = begin(options, make, digits.train);
  const { model } = training;
  const place: Place = (await resumed?.restore(training)) ?? { epoch: 1, losses: [], right: 0, seen: 0 };
  const testLoader = new data.DataLoader<[Tensor, Tensor]>(digits.test, { batchSize: 360 });
  display.print(`Training on ${digits.train.length} digits on ${device.id}, seed ${options.seed}\n${String(model)}`);
  if (resumed !== undefined) display.print(`Going on from ${resumed.file}, after ${place.losses.length} steps`);

  const start = performance.now();
  await train(options, training, place, display, signal);
  const seconds = (performance.now() - start) / 1000;

  const { losses } = place;
  const accuracy = await evaluate(model, testLoader);
  const weights = join(options.out, 'weights.safetensors');
  await saveAndCheck(model, make(), weights, accuracy, testLoader);
  const curve = join(options.out, 'loss.svg');
  await writeFile(curve, svgCurve(losses, `Loss on handwritten digits (${options.optimizer}, learning rate ${options.lr}, ${device.id})`));
  display.print(`\n${terminalCurve(losses)}\n`);
  display.print(
    `Test accuracy: ${percent(accuracy)} of ${digits.test.length} digits, after ${losses.length} steps (${seconds.toFixed(1)} s)`,
  );
  display.print(`Weights: ${weights} (loaded again: the same accuracy)\nLoss curve: ${curve}`);
  return { losses, accuracy };
}
