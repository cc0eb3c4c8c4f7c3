/**
 * @file The memory of a plain training loop, with no scope and no dispose, over many steps: numbers, and a plot. Run it with
 * `node examples/dist/memory-plot/main.js --steps 10000 --out docs/images/memory.svg`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { data, F, init, manualSeed, nn, optim, randint, randn, type Tensor } from 'tessera';
import { linePlot } from '../shared/line-plot.js';

interface Options {
  device: string;
  steps: string;
  out: string;
}
const options = new Command('memory-plot')
  .option('--device <id>', 'where to compute', 'cpu')
  .option('--steps <n>', 'steps of training', '10000')
  .option('--out <file>', 'the SVG file', 'out/memory.svg')
  .parse()
  .opts<Options>();

const MiB = 2 ** 20;
const device = await init({ device: options.device });
manualSeed(0);
const model = new nn.Sequential(
  new nn.Conv2d(1, 8, 3, { padding: 1 }),
  new nn.ReLU(),
  new nn.MaxPool2d(2),
  new nn.Flatten(),
  new nn.Linear(8 * 16, 64),
  new nn.ReLU(),
  new nn.Linear(64, 10),
);
const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
const loader = new data.DataLoader<[Tensor, Tensor]>(new data.TensorDataset(randn(1024, 1, 8, 8), randint(10, [1024])), {
  batchSize: 32,
  shuffle: true,
});

// An interrupted run (Ctrl-C) plots what it has.
let interrupted = false;
process.once('SIGINT', () => {
  interrupted = true;
});

const samples: { step: number; rss: number; buffers: number; device: number }[] = [];
const total = Number(options.steps);
let step = 0;
while (step < total && !interrupted) {
  for await (const [x, y] of loader) {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(model(x), y);
    loss.backward();
    optimizer.step();
    step++;
    if (step % Math.max(1, Math.floor(total / 200)) === 0) {
      const { rss, arrayBuffers } = process.memoryUsage();
      samples.push({ step, rss: rss / MiB, buffers: arrayBuffers / MiB, device: device.memory().bytes / MiB });
    }
    if (step === total || interrupted) break;
  }
}

const late = samples.slice(Math.floor(samples.length / 2));
const early = samples.slice(Math.floor(samples.length / 10), Math.floor(samples.length / 2));
const mean = (list: typeof samples, key: 'rss' | 'device'): number => list.reduce((sum, s) => sum + s[key], 0) / Math.max(list.length, 1);
console.log(
  `${step} steps on ${device.id}: resident ${mean(early, 'rss').toFixed(0)} MiB in steps ${early[0]?.step}-${early.at(-1)?.step}, ${mean(late, 'rss').toFixed(0)} MiB after; on the device ${mean(early, 'device').toFixed(1)} and ${mean(late, 'device').toFixed(1)} MiB, at most ${Math.max(...samples.map((s) => s.device)).toFixed(1)}`,
);
await mkdir(dirname(options.out), { recursive: true });
await writeFile(
  options.out,
  linePlot({
    title: `Memory of a plain training loop on ${device.id}: no scope, no dispose`,
    xLabel: 'step',
    yLabel: 'MiB',
    series: [
      { name: 'resident', points: samples.map((s) => [s.step, s.rss]) },
      { name: 'array buffers', points: samples.map((s) => [s.step, s.buffers]) },
      { name: `live on ${device.id}`, points: samples.map((s) => [s.step, s.device]) },
    ],
  }),
);
console.log(`Plot: ${options.out}`);
