/** @file The layers prove themselves with checkLayer, under Mocha; and learn what a network of their kind should. */
import assert from 'node:assert/strict';
import { checkLayer, type TestRunner } from '@tessera/conformance-tests';
import { F, linspace, manualSeed, nn, noGrad, optim, rand, runtimes, type Tensor } from 'tessera';
import { KAN, KANLinear, kanPlugin } from '../src/index.js';

/** Mocha's, which are global. */
const { describe, it } = globalThis as unknown as TestRunner;

const inputs = (): Tensor[] => [rand(4, 3).mul(1.6).sub(0.8)];

checkLayer({
  test: { describe, it },
  name: 'KANLinear and KAN',
  plugins: [kanPlugin],
  cases: [
    {
      name: 'KANLinear',
      layer: () => new KANLinear(3, 2),
      inputs,
      shape: [4, 2],
      repr: 'KANLinear(in_features=3, out_features=2, grid_size=5, spline_order=3)',
    },
    {
      name: 'KANLinear with another grid',
      layer: () => new KANLinear(3, 2, { gridSize: 4, splineOrder: 2, gridRange: [-2, 2] }),
      inputs,
      shape: [4, 2],
    },
    { name: 'KAN', layer: () => new KAN([3, 4, 1], { gridSize: 3 }), inputs, shape: [4, 1] },
  ],
});

describe('the splines', () => {
  it('add up to 1 inside the grid, and are 0 far outside', async () => {
    const layer = new KANLinear(1, 1);
    const sums = noGrad(() => layer.splines(linspace(-0.99, 0.99, 41).unsqueeze(1)).sum([1, 2])).toArray() as number[];
    for (const sum of sums) assert.ok(Math.abs(sum - 1) < 1e-5, String(sum));
    assert.equal(
      noGrad(() =>
        layer
          .splines(linspace(5, 9, 4).unsqueeze(1))
          .abs()
          .max(),
      ).item(),
      0,
    );
  });

  it('refuse a grid that is none', async () => {
    assert.throws(() => new KANLinear(1, 1, { gridRange: [1, 1] }), RangeError);
  });
});

describe('a KAN', () => {
  it('learns exp(sin(πx) + y²), the example of the paper, with six edges', async () => {
    manualSeed(0);
    const model = new KAN([2, 2, 1]);
    const points = rand(256, 2).mul(2).sub(1);
    const [x, y] = [points.narrow(1, 0, 1), points.narrow(1, 1, 1)];
    const target = x.mul(Math.PI).sin().add(y.mul(y)).exp();
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.02 });
    let loss = Infinity;
    for (let step = 0; step < 300; step++) {
      optimizer.zeroGrad();
      const error = F.mseLoss(model(points), target);
      error.backward();
      optimizer.step();
      loss = error.item();
    }
    assert.ok(loss < 0.02, `the loss is ${loss}`);
  });

  it('is data, once the plugin is there', async () => {
    runtimes.current.use(kanPlugin);
    const model = nn.fromConfig({ format: 'tessera.model', version: 1, model: { type: 'KAN', args: [[2, 5, 1], { gridSize: 3 }] } });
    assert.equal([...model.stateDict().keys()][0], 'layers.0.base_weight');
    assert.deepEqual(nn.toConfig(model).model, { type: 'KAN', args: [[2, 5, 1], { gridSize: 3 }] });
  });
});
