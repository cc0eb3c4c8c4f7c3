/** @file Trains a GPT on a text, character by character. */
import { readFile } from 'node:fs/promises';
import { F, init, manualSeed, nn, optim } from 'tessera';
import { dataFile } from '../shared/data-file.js';
import type { Report, TrainingOptions } from '../shared/training-options.js';
import { GPT } from './model.js';
import { Characters, randomPieces } from './text.js';

export interface Trained {
  readonly model: GPT;
  readonly characters: Characters;
  readonly losses: number[];
}

export interface GPTTraining extends TrainingOptions {
  readonly context?: number;
  readonly width?: number;
  readonly layers?: number;
}

export async function train(
  { device, steps, lr, seed, context = 64, width = 96, layers = 3 }: GPTTraining,
  report: Report,
): Promise<Trained> {
  const on = await init({ device });
  manualSeed(seed);
  const text = await readFile(dataFile('sonnets.txt', 'text'), 'utf8');
  const characters = new Characters(text);
  const numbers = await characters.encode(text).toAsync(on);
  const model = new GPT({ vocabulary: characters.all.length, context, width, heads: 4, layers, dropout: 0.1 });
  const optimizer = new optim.AdamW(model.parameters(), { lr, weightDecay: 0.1 });
  const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, steps);
  const losses: number[] = [];
  for (let step = 1; step <= steps; step++) {
    const [input, target] = randomPieces(numbers, 16, context);
    const loss = F.crossEntropy(model(input).flatten(0, 1), target.flatten());
    optimizer.zeroGrad();
    loss.backward();
    nn.utils.clipGradNorm_(model.parameters(), 1);
    optimizer.step();
    scheduler.step();
    losses.push(await loss.itemAsync());
    report(step, losses.at(-1)!);
    // Lets the collector give back the memory of tensors that nobody has any more.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { model, characters, losses };
}

/** Goes on from a beginning. */
export async function sample({ model, characters }: Trained, beginning: string, count: number): Promise<string> {
  const numbers = await characters.encode(beginning).unsqueeze(0).toAsync(model.tokens.weight.device);
  const [all] = (await (await model.generate(numbers, count)).toArrayAsync()) as number[][];
  return characters.decode(all!);
}
