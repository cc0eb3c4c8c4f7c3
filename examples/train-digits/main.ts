/** @file Trains the CNN of the README on handwritten digits: `npm start`, with options after `--`. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SingleBar } from 'cli-progress';
import { data, init, io, manualSeed, optim, runtimes, type Tensor } from 'tessera';
import { loadDigits } from './digits.js';
import { svgCurve, terminalCurve } from './loss-curve.js';
import { CNN } from './model.js';
import { type Options, parseOptions } from './options.js';
import { evaluate, trainEpoch } from './train.js';

const percent = (x: number): string => `${(100 * x).toFixed(2)} %`;

function makeOptimizer(model: CNN, { optimizer, lr }: Options): optim.Optimizer<object> {
  if (optimizer === 'adam') return new optim.Adam(model.parameters(), { lr }) as optim.Optimizer<object>;
  if (optimizer === 'adamw') return new optim.AdamW(model.parameters(), { lr }) as optim.Optimizer<object>;
  return new optim.SGD(model.parameters(), { lr, momentum: 0.9 }) as optim.Optimizer<object>;
}

/** A bar in a terminal; a line an epoch elsewhere, so that logs stay readable. */
function progressBar(epochs: number): SingleBar {
  return new SingleBar({
    format: `epoch {epoch}/${epochs} [{bar}] {value}/{total}  loss {loss}  accuracy {accuracy}  {speed} images/s`,
    barsize: 24,
    hideCursor: true,
    clearOnComplete: false,
    noTTYOutput: false,
    stream: process.stdout,
  });
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), (await runtimes.current.backends()).map((b) => b.id));
  const device = await init({ device: options.device });
  await mkdir(options.out, { recursive: true });
  manualSeed(options.seed);
  const model = new CNN();
  const optimizer = makeOptimizer(model, options);
  const digits = await loadDigits();
  const loader = new data.DataLoader<[Tensor, Tensor]>(digits.train, { batchSize: options.batchSize, shuffle: true });
  const testLoader = new data.DataLoader<[Tensor, Tensor]>(digits.test, { batchSize: 360 });
  console.log(`Training on ${digits.train.length} digits on ${device.id}, seed ${options.seed}\n${String(model)}`);

  const losses: number[] = [];
  const start = performance.now();
  for (let epoch = 1; epoch <= options.epochs; epoch++) {
    const bar = progressBar(options.epochs);
    bar.start(loader.length, 0, { epoch, loss: '-', accuracy: '-', speed: '-' });
    let speed = 0;
    let accuracy = 0;
    const epochLosses = await trainEpoch(model, loader, optimizer, epoch, (p) => {
      speed = p.imagesPerSecond;
      accuracy = p.accuracy;
      bar.increment(1, { epoch, loss: p.loss.toFixed(4), accuracy: percent(p.accuracy), speed: p.imagesPerSecond.toFixed(0) });
    });
    bar.stop();
    losses.push(...epochLosses);
    const mean = epochLosses.reduce((a, b) => a + b, 0) / epochLosses.length;
    if (!process.stdout.isTTY) console.log(`epoch ${epoch}/${options.epochs}  loss ${mean.toFixed(4)}  accuracy ${percent(accuracy)}  ${speed.toFixed(0)} images/s`);
  }
  const seconds = (performance.now() - start) / 1000;

  const accuracy = await evaluate(model, testLoader);
  const weights = join(options.out, 'weights.safetensors');
  await writeFile(weights, await io.saveSafetensorsAsync(model.stateDict(), { metadata: { format: 'pt' } }));
  const loaded = new CNN();
  loaded.loadStateDict(io.loadSafetensors(await readFile(weights)));
  const again = await evaluate(loaded, testLoader);
  if (again !== accuracy) throw new Error(`the saved weights give ${percent(again)}, the trained ones ${percent(accuracy)}`);

  const curve = join(options.out, 'loss.svg');
  await writeFile(curve, svgCurve(losses, `Loss on handwritten digits (${options.optimizer}, learning rate ${options.lr}, ${device.id})`));
  console.log(`\n${terminalCurve(losses)}\n`);
  console.log(`Test accuracy: ${percent(accuracy)} of ${digits.test.length} digits, after ${losses.length} steps (${seconds.toFixed(1)} s)`);
  console.log(`Weights: ${weights} (loaded again: the same accuracy)\nLoss curve: ${curve}`);
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? String(error) : error);
  process.exitCode = 1;
});
