/** @file Random models: stacks of layers with their gradients, and a whole training of them. */
import { type Device, Generator, manualSeed, type Module, type Parameter, runtimes, tensor, type Tensor } from '@tessera/core';
import { F, fromConfig, type LayerDocument } from '@tessera/layers';
import * as optim from '@tessera/optim';
import type * as FastCheck from 'fast-check';
import { firstDifference, NUDGE } from './closeness.js';
import type { Kind } from './kind.js';

const BLOCKS = ['linear', 'relu', 'tanh', 'gelu', 'layerNorm', 'batchNorm', 'softmax', 'convolution', 'maxPool', 'avgPool'] as const;
type Block = (typeof BLOCKS)[number];

interface ModelCase {
  readonly batch: number;
  readonly width: number;
  readonly blocks: readonly { readonly block: Block; readonly size: number }[];
  readonly seed: number;
}

const OPTIMIZERS = {
  SGD: (parameters: Parameter[]) => new optim.SGD(parameters, { lr: 0.05, momentum: 0.9 }),
  Adam: (parameters: Parameter[]) => new optim.Adam(parameters, { lr: 0.01 }),
  AdamW: (parameters: Parameter[]) => new optim.AdamW(parameters, { lr: 0.01 }),
  RMSprop: (parameters: Parameter[]) => new optim.RMSprop(parameters, { lr: 0.01 }),
};

interface TrainingCase extends ModelCase {
  readonly optimizer: keyof typeof OPTIMIZERS;
  readonly steps: number;
}

/** The layers of a case as a document, and how many features they give. What does not fit there is left out. */
function stackOf({ width, blocks }: ModelCase): { layers: LayerDocument[]; features: number } {
  const layers: LayerDocument[] = [];
  let features = width;
  const add = (type: string, ...args: NonNullable<LayerDocument['args']>): void => void layers.push({ type, args });
  for (const { block, size } of blocks) {
    switch (block) {
      case 'linear':
        add('Linear', features, size);
        features = size;
        break;
      case 'relu':
        add('ReLU');
        break;
      case 'tanh':
        add('Tanh');
        break;
      case 'gelu':
        add('GELU');
        break;
      case 'softmax':
        add('Softmax', 1);
        break;
      case 'layerNorm':
        add('LayerNorm', features);
        break;
      case 'batchNorm':
        add('BatchNorm1d', features);
        break;
      case 'convolution':
      case 'maxPool':
      case 'avgPool': {
        // Rows of features as one channel of a signal.
        add('Unflatten', 1, [1, features]);
        if (block === 'convolution') add('Conv1d', 1, 2, 3, { padding: 1, stride: 1 + (size % 2) });
        else add(block === 'maxPool' ? 'MaxPool1d' : 'AvgPool1d', 3, 1 + (size % 2), { padding: 1 });
        add('Flatten');
        const length = Math.floor((features - 1) / (1 + (size % 2))) + 1;
        features = block === 'convolution' ? 2 * length : length;
        break;
      }
    }
  }
  return { layers, features };
}

/** The same model on a device, from the same random numbers. */
function modelOn(device: Device, layers: readonly LayerDocument[], seed: number): Module {
  runtimes.current.defaultDevice = device;
  manualSeed(seed);
  const args = layers as never;
  return fromConfig({ format: 'tessera.model', version: 1, model: { type: 'Sequential', args } });
}

function inputOn(device: Device, { batch, width, seed }: ModelCase, nudge: number): Tensor {
  const values = new Generator(seed + 1).uniform(new Float32Array(batch * width), -2, 2);
  return tensor(
    values.map((x) => x * (1 + nudge)),
    { device },
  ).reshape(batch, width);
}

const numbers = async (x: Tensor): Promise<number[]> => Array.from(await x.dataAsync(), Number);

/** Output, gradient of the input, gradients of the parameters. */
async function gradients(device: Device, one: ModelCase, nudge = 0): Promise<[what: string, values: number[]][]> {
  const model = modelOn(device, stackOf(one).layers, one.seed);
  const x = inputOn(device, one, nudge).requiresGrad_();
  const y = (model as unknown as (x: Tensor) => Tensor)(x);
  y.mul(y).mean().backward();
  const found: [string, number[]][] = [['output', await numbers(y)]];
  if (x.grad !== null) found.push(['gradient of the input', await numbers(x.grad)]);
  for (const [name, p] of model.namedParameters()) if (p.grad !== null) found.push([`gradient of ${name}`, await numbers(p.grad)]);
  return found;
}

/** The losses of a training. */
async function losses(device: Device, one: TrainingCase, nudge = 0): Promise<[what: string, values: number[]][]> {
  const { layers, features } = stackOf(one);
  const model = modelOn(device, [...layers, { type: 'Linear', args: [features, 3] }], one.seed);
  const x = inputOn(device, one, nudge);
  const labels = tensor(
    Int32Array.from({ length: one.batch }, (_, i) => i % 3),
    { device },
  );
  const parameters = model.parameters();
  const optimizer = OPTIMIZERS[one.optimizer](parameters);
  const values: number[] = [];
  for (let step = 0; step < one.steps; step++) {
    optimizer.zeroGrad();
    const loss = F.crossEntropy((model as unknown as (x: Tensor) => Tensor)(x), labels);
    loss.backward();
    optimizer.step();
    values.push((await numbers(loss))[0]);
  }
  return [['losses', values]];
}

type Run<T> = (device: Device, one: T, nudge?: number) => Promise<[what: string, values: number[]][]>;

const differenceIn =
  <T>(run: Run<T>): Kind<T>['difference'] =>
  async ({ mine, theirs }, one) => {
    const ours = await run(mine, one);
    const others = await run(theirs, one);
    const nudged = [await run(mine, one, NUDGE), await run(mine, one, -NUDGE)];
    for (const [i, [what, values]] of ours.entries()) {
      const found = firstDifference(
        values,
        others[i][1],
        nudged.map((all) => all[i][1]),
        false,
      );
      if (found !== null) return { ...found, what };
    }
    return null;
  };

const modelFields = (fc: typeof FastCheck) => ({
  batch: fc.integer({ min: 2, max: 9 }),
  width: fc.oneof(fc.integer({ min: 2, max: 9 }), fc.constantFrom(17, 33)),
  blocks: fc.array(fc.record({ block: fc.constantFrom(...BLOCKS), size: fc.integer({ min: 2, max: 33 }) }), { minLength: 1, maxLength: 6 }),
  seed: fc.nat(999),
});
const layersText = (one: ModelCase): string[] => [
  `input (${one.batch}x${one.width}), random from ${one.seed + 1}; weights from manualSeed(${one.seed})`,
  ...stackOf(one).layers.map(({ type, args = [] }) => `${type}(${args.map((a) => JSON.stringify(a)).join(', ')})`),
];

export const models: Kind<ModelCase> = {
  name: 'models with their gradients',
  arbitrary: (fc) => fc.record(modelFields(fc)),
  difference: differenceIn(gradients),
  describe: layersText,
};

export const trainings: Kind<TrainingCase> = {
  name: 'training runs',
  arbitrary: (fc) =>
    fc.record({
      ...modelFields(fc),
      optimizer: fc.constantFrom('SGD' as const, 'Adam' as const, 'AdamW' as const, 'RMSprop' as const),
      steps: fc.integer({ min: 1, max: 12 }),
    }),
  difference: differenceIn(losses),
  describe: (one) => [...layersText(one), `${one.steps} steps of ${one.optimizer}`],
};
