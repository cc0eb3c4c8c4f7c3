/** @file The whole run: data, training, test, weights, loss curve. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { data, init, io, manualSeed, optim, type Tensor } from 'tessera';
import { loadDigits } from './digits.js';
import { svgCurve, terminalCurve } from './loss-curve.js';
import { type Classifier, modelMaker } from './model.js';
import type { Options } from './options.js';
import { evaluate, type Progress, trainEpoch } from './train.js';

/** How a run shows itself. */
export interface Display {
  print(text: string): void;
  epochStarts(epoch: number, steps: number): void;
  step(progress: Progress): void;
  epochEnds(epoch: number, meanLoss: number, last: Progress): void;
}

export interface Outcome {
  /** Where it was computed. */
  readonly device: string;
  readonly losses: readonly number[];
  /** On the test split, from 0 to 1. */
  readonly accuracy: number;
  /** Files that were written. */
  readonly weights: string;
  readonly curve: string;
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

export async function run(options: Options, display: Display): Promise<Outcome> {
  const device = await init({ device: options.device });
  await makeFolder(options.out);
  manualSeed(options.seed);
  const make = await modelMaker(options.model);
  const model = make();
  const optimizer = makeOptimizer(model, options);
  const digits = await loadDigits();
  const loader = new data.DataLoader<[Tensor, Tensor]>(digits.train, { batchSize: options.batchSize, shuffle: true });
  const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, options.epochs * loader.length);
  const testLoader = new data.DataLoader<[Tensor, Tensor]>(digits.test, { batchSize: 360 });
  display.print(`Training on ${digits.train.length} digits on ${device.id}, seed ${options.seed}\n${String(model)}`);

  const losses: number[] = [];
  const start = performance.now();
  for (let epoch = 1; epoch <= options.epochs; epoch++) {
    display.epochStarts(epoch, loader.length);
    let last: Progress | undefined;
    const own = await trainEpoch(model, loader, optimizer, scheduler, epoch, (progress) => display.step((last = progress)));
    display.epochEnds(epoch, own.reduce((a, b) => a + b, 0) / own.length, last!);
    losses.push(...own);
  }
  const seconds = (performance.now() - start) / 1000;

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
  return { device: device.id, losses, accuracy, weights, curve };
}
