/**
 * @file The same training in Tessera and in PyTorch: from the same weights, on the same batches, ten epochs with three optimizers. Prints how far
 * the losses of each epoch are from those that PyTorch wrote down. `node examples/dist/digits-curves/main.js [--device cpu]`
 */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { F, init, io, nn, noGrad, optim, tensor, type Tensor } from 'tessera';
import { dataFile } from '../shared/data-file.js';

interface Run {
  readonly kwargs: { readonly lr: number; readonly momentum?: number; readonly weight_decay?: number };
  readonly losses: readonly number[];
  readonly epochs: readonly { readonly test_acc: number }[];
}

const { device: id, dtypes } = new Command('digits-curves')
  .option('--device <id>', 'where to compute', 'cpu')
  .addOption(new Option('--dtypes <names...>', 'of weights and images').choices(['float32', 'float64']).default(['float32', 'float64']))
  .parse()
  .opts<{ device: string; dtypes: ('float32' | 'float64')[] }>();

const TRAINING = 1437;
const BATCH = 64;
await init({ device: id });
const load = (name: string): Map<string, Tensor> => io.loadSafetensors(readFileSync(dataFile(`${name}.safetensors`)));
const digits = load('digits');
const labels = digits.get('labels')!.to('int32').realize();
const order = load('batch_order').get('order')!.data();
const runs = (JSON.parse(readFileSync(dataFile('training.json'), 'utf8')) as { runs: Record<string, Run> }).runs;

function makeOptimizer(
  name: string,
  parameters: Iterable<Tensor>,
  { lr, momentum, weight_decay: weightDecay }: Run['kwargs'],
): optim.Adam | optim.SGD {
  if (name === 'sgd') return new optim.SGD(parameters, { lr, momentum });
  return name === 'adam' ? new optim.Adam(parameters, { lr }) : new optim.AdamW(parameters, { lr, weightDecay });
}

console.log('Largest difference of a step’s loss from PyTorch’s, epoch by epoch');
for (const dtype of dtypes) {
  const images = digits.get('images')!.to(dtype).div(16).unsqueeze(1).realize();
  for (const [name, { kwargs, losses, epochs }] of Object.entries(runs)) {
    const model = new nn.Sequential(
      new nn.Conv2d(1, 8, 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Conv2d(8, 16, 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.MaxPool2d(2),
      new nn.Flatten(),
      new nn.Linear(64, 10),
    );
    model.loadStateDict(load('cnn_init'));
    model.to(dtype);
    const optimizer = makeOptimizer(name, model.parameters(), kwargs);
    const worst: number[] = [];
    let step = 0;
    for (let epoch = 0; epoch < epochs.length; epoch++) {
      worst.push(0);
      for (let at = 0; at < TRAINING; at += BATCH, step++) {
        const samples = Int32Array.from(order.slice(epoch * TRAINING + at, epoch * TRAINING + Math.min(at + BATCH, TRAINING)), Number);
        const batch = tensor(samples, { dtype: 'int32', device: labels.device });
        optimizer.zeroGrad();
        const loss = F.crossEntropy(model(images.indexSelect(0, batch)), labels.indexSelect(0, batch));
        loss.backward();
        optimizer.step();
        worst[epoch] = Math.max(worst[epoch]!, Math.abs((await loss.itemAsync()) - losses[step]!));
      }
    }
    const test = (x: Tensor): Tensor => x.narrow(0, TRAINING, x.size(0) - TRAINING);
    const right = await noGrad(() => model(test(images)).argmax(1).eq(test(labels)).sum()).itemAsync();
    const accuracy = Number(right) / (labels.size(0) - TRAINING);
    console.log(
      `${dtype} ${name.padEnd(5)} ${worst.map((d) => d.toExponential(1)).join(' ')}  accuracy ${accuracy.toFixed(4)}, PyTorch ${epochs.at(-1)!.test_acc.toFixed(4)}`,
    );
  }
}
