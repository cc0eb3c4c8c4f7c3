import { F, io, manualSeed, nn, optim, tensor, type Tensor } from 'tessera';
import { beforeAll, describe, expect, it } from 'vitest';
import { shippedFixtures, type SeedManifest, type TensorTable } from '../../conformance-tests/src/fixtures/index.js';
import { CNN, CustomLayer, dynamicModel, RNNModel, sharedModel, SimpleModel } from './models.js';

type Model = nn.Module & ((x: Tensor) => Tensor);

/** What PyTorch got, from the same seed. */
interface Golden {
  readonly manifest: SeedManifest;
  readonly get: (name: string) => Tensor;
  readonly names: readonly string[];
}

async function golden(name: string): Promise<Golden> {
  const { manifest, tensors } = await shippedFixtures().load('seed_examples', name);
  const table: TensorTable = tensors;
  const get = (key: string): Tensor => {
    const entry = table.get(key)!;
    const { array, dtype } = io.toHostArray(key, entry);
    return tensor(array, { dtype }).reshape(entry.shape).clone();
  };
  return { manifest, get, names: [...table.keys()] };
}

/** The largest difference, beside the largest value. */
function expectClose(got: Tensor, want: Tensor, rtol: number, what: string): void {
  expect(got.shape, what).toEqual(want.shape);
  const [a, b] = [got.detach().data(), want.data()];
  let worst = 0;
  let scale = 0;
  for (let i = 0; i < b.length; i++) {
    worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
    scale = Math.max(scale, Math.abs(b[i]!));
  }
  expect(worst, `${what}: largest difference`).toBeLessThanOrEqual(rtol * scale + 1e-6);
}

const CASES: readonly [name: string, make: (x: Tensor) => Model][] = [
  ['simple_model', () => new SimpleModel()],
  ['cnn', () => new CNN()],
  ['rnn', () => new RNNModel()],
  ['custom_layer', () => new CustomLayer(10, 5)],
  ['dynamic_forward_pos', (x) => dynamicModel(x) as unknown as Model],
  ['dynamic_forward_neg', (x) => dynamicModel(x) as unknown as Model],
  ['parameter_sharing', () => sharedModel() as unknown as Model],
];

describe.each(CASES)('%s', (name, make) => {
  let data: Golden;
  let input: Tensor;
  let target: Tensor;
  beforeAll(async () => {
    data = await golden(name);
    input = data.get('input.0');
    target = data.get('target');
  });
  const fresh = (): Model => {
    manualSeed(0);
    return make(input);
  };
  const lossOf = (model: Model, x: Tensor): Tensor =>
    data.manifest.loss === 'ce' ? F.crossEntropy(model(x), target) : F.mseLoss(model(x), target);

  it("starts from PyTorch's weights for the seed, bit for bit, and prints as there", () => {
    const model = fresh();
    expect(String(model)).toBe(data.manifest.repr);
    expect(model.namedParameters().map(([key]) => key)).toEqual(data.manifest.param_order);
    expect([...model.stateDict().keys()]).toEqual(data.manifest.state_dict_keys);
    for (const [key, value] of model.stateDict()) expect(value.data(), key).toEqual(data.get(`param.${key}`).data());
  });

  it('has the same output, loss and gradients', () => {
    const model = fresh();
    const x = input.clone().requiresGrad_();
    expectClose(model(x), data.get('output'), 1e-5, 'output');
    const loss = lossOf(model, x);
    expectClose(loss, data.get('loss'), 1e-5, 'loss');
    loss.backward();
    for (const [key, p] of model.namedParameters()) expectClose(p.grad!, data.get(`grad.${key}`), 1e-4, `gradient of ${key}`);
    expectClose(x.grad!, data.get('grad_input.0'), 1e-4, 'gradient of the input');
  });

  it.each([
    ['sgd10', (p: Tensor[]) => new optim.SGD(p, { lr: 0.05 })],
    ['sgdm10', (p: Tensor[]) => new optim.SGD(p, { lr: 0.05, momentum: 0.9, weightDecay: 1e-3 })],
    ['adam10', (p: Tensor[]) => new optim.Adam(p, { lr: 0.01 })],
  ])('takes the same 10 steps (%s)', (run, optimizerOf) => {
    const model = fresh();
    const optimizer = optimizerOf(model.parameters());
    const want = data.manifest.runs[run]!;
    for (const expected of want.losses) {
      optimizer.zeroGrad();
      const loss = lossOf(model, input);
      loss.backward();
      optimizer.step();
      expect(Math.abs(loss.item() - expected)).toBeLessThan(1e-4 * Math.max(1, Math.abs(expected)));
    }
    expect(Math.abs(lossOf(model, input).item() - want.final_loss)).toBeLessThan(1e-4 * Math.max(1, want.final_loss));
    for (const key of model.stateDict().keys()) {
      if (data.names.includes(`${run}.${key}`))
        expectClose(model.stateDict().get(key)!, data.get(`${run}.${key}`), 1e-4, `${key} after 10 steps`);
    }
  });
});

it('names the place and both shapes when a shared layer does not fit', () => {
  const shared = new nn.Linear(100, 50);
  const model = new nn.Sequential(shared, new nn.ReLU(), shared, new nn.Sigmoid());
  expect(() => (model as unknown as Model)(tensor(new Float32Array(400)).reshape(4, 100))).toThrow(
    expect.objectContaining({
      code: 'ERR_MATMUL_SHAPE',
      message: expect.stringMatching(/\(4x50\) and \(50x100\)[\s\S]*Sequential\.2 \(Linear\)/) as string,
    }),
  );
});
