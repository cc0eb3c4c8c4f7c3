/** @file What the benchmarks run, written with Tessera: the same computations as `benchmarks/lib/tessera.mjs`, with reads that any device can do. */
import { type Device, F, noGrad, optim, type Parameter, scope, type Tensor, tensor } from 'tessera';
import { type BenchmarkInputs, TRAIN_CHECK } from '../../../benchmarks/cases.mjs';
import type { Adapter, Prepared } from '../../../benchmarks/lib/adapter.mjs';

type Weights = Readonly<Record<string, Tensor>>;

export function makeOps(device: Device): Adapter['ops'] {
  const load = ({ data, shape, int }: BenchmarkInputs[string]): Tensor =>
    tensor(data, { dtype: int === true ? 'int32' : 'float32', device })
      .reshape(shape)
      .clone()
      .realize();

  const forward = (f: () => Tensor): Prepared => ({
    run: () => scope(() => void noGrad(f).realize()),
    read: () => noGrad(f).contiguous().dataAsync(),
  });

  const training = (
    inputs: BenchmarkInputs,
    keys: readonly string[],
    optimizer: (parameters: Tensor[]) => { zeroGrad(): void; step(): void },
    loss: (p: Weights, x: Tensor, y: Tensor) => Tensor,
  ): Prepared => {
    const fresh = (): (() => Tensor) => {
      const p = Object.fromEntries(keys.map((key) => [key, load(inputs[key]!).requiresGrad_()]));
      const [x, y] = [load(inputs['x']!), load(inputs['y']!)];
      const o = optimizer(Object.values(p) as Parameter[]);
      return () => {
        o.zeroGrad();
        const value = loss(p, x, y);
        value.backward();
        o.step();
        return value;
      };
    };
    const step = fresh();
    return {
      run: () => void step(),
      async read() {
        const one = fresh();
        const losses: number[] = [];
        for (let i = 0; i < TRAIN_CHECK; i++) losses.push(await one().itemAsync());
        return losses;
      },
    };
  };
  const linear = (x: Tensor, w: Tensor, b: Tensor): Tensor => x.matmul(w).add(b);
  const all = (inputs: BenchmarkInputs): Weights => Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, load(value)]));

  return {
    matmul(inputs) {
      const { a, b } = all(inputs) as { a: Tensor; b: Tensor };
      return forward(() => a.matmul(b));
    },
    add(inputs) {
      const { a, b } = all(inputs) as { a: Tensor; b: Tensor };
      return forward(() => a.add(b));
    },
    gelu(inputs) {
      const { x, w, b } = all(inputs) as { x: Tensor; w: Tensor; b: Tensor };
      return forward(() => F.gelu(x.mul(w).add(b), { approximate: 'tanh' }));
    },
    softmax(inputs) {
      const { x } = all(inputs) as { x: Tensor };
      return forward(() => x.softmax(-1));
    },
    layernorm(inputs, { eps }) {
      const { x, g, b } = all(inputs) as { x: Tensor; g: Tensor; b: Tensor };
      return forward(() => F.layerNorm(x, [768], g, b, { eps: eps! }));
    },
    sum(inputs, { axis }) {
      const { x } = all(inputs) as { x: Tensor };
      return forward(() => x.sum(axis!));
    },
    conv(inputs) {
      const { x, w } = all(inputs) as { x: Tensor; w: Tensor };
      return forward(() => F.conv2d(x, w, null, { padding: 1 }));
    },
    maxpool(inputs) {
      const { x } = all(inputs) as { x: Tensor };
      return forward(() => F.maxPool2d(x, 2));
    },
    mlp_train(inputs, { dims, lr }) {
      const layers = dims!.length - 1;
      const keys = Array.from({ length: layers }, (_, i) => [`w${i}`, `b${i}`]).flat();
      return training(
        inputs,
        keys,
        (p) => new optim.SGD(p, { lr: lr! }),
        (p, x, y) => {
          let h = x;
          for (let i = 0; i < layers; i++) {
            h = linear(h, p[`w${i}`]!, p[`b${i}`]!);
            if (i < layers - 1) h = h.relu();
          }
          return F.crossEntropy(h, y);
        },
      );
    },
    cnn_train(inputs, { lr }) {
      return training(
        inputs,
        ['w0', 'b0', 'w1', 'b1', 'w2', 'b2'],
        (p) => new optim.Adam(p, { lr: lr! }),
        (p, x, y) => {
          let h = F.maxPool2d(F.conv2d(x, p['w0']!, p['b0']!, { padding: 1 }).relu(), 2);
          h = F.maxPool2d(F.conv2d(h, p['w1']!, p['b1']!, { padding: 1 }).relu(), 2);
          return F.crossEntropy(linear(h.reshape(-1, 1568), p['w2']!, p['b2']!), y);
        },
      );
    },
  };
}
