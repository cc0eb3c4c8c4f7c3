/** @file summary: figures of torchinfo, the tree, the text. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cat, manualSeed, nn, rand, runtimes, summary, type Tensor, zeros } from '../src/index.js';

interface Found {
  readonly rows: { type: string; depth: number; output: number[]; params: number; recursive: boolean; macs: number | null }[];
  readonly totalParams: number;
  readonly trainableParams: number;
  readonly multiplyAdds: number;
  readonly outputBytes: number;
  readonly paramBytes: number;
  readonly text: string;
}
const torchinfo = JSON.parse(readFileSync(new URL('./fixtures/summary/summary.json', import.meta.url), 'utf8')) as Record<string, Found>;

const cnn = (): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(1, 10, 5),
    new nn.BatchNorm2d(10),
    new nn.MaxPool2d(2),
    new nn.ReLU(),
    new nn.Conv2d(10, 20, 5, { groups: 2 }),
    new nn.Dropout2d(),
    new nn.Flatten(),
    new nn.Linear(1280, 50),
    new nn.ReLU(),
    new nn.Linear(50, 10),
  );

class Nested extends nn.Module {
  body = new nn.Sequential(new nn.Linear(8, 16), new nn.Tanh());
  heads = new nn.ModuleList([new nn.Linear(16, 2), new nn.Linear(16, 3, { bias: false })]);
  constructor() {
    super();
    this.heads.at(1).requiresGrad_(false);
  }
  forward(x: Tensor): Tensor {
    const h = this.body(x) as Tensor;
    return cat(
      [...this.heads].map((head) => (head as nn.Linear)(h)),
      1,
    );
  }
}

class Shared extends nn.Module {
  fc = new nn.Linear(4, 4);
  forward(x: Tensor): Tensor {
    return this.fc(this.fc(x));
  }
}

const MODELS: Record<string, [nn.Module, number[]]> = {
  cnn: [cnn(), [2, 1, 28, 28]],
  nested: [new Nested(), [3, 8]],
  shared: [new Shared(), [5, 4]],
  lstm: [new nn.LSTM(4, 6, { batchFirst: true }), [2, 7, 4]],
};

describe('figures are torchinfo’s', () => {
  it.each(Object.keys(MODELS))('%s', (name) => {
    const want = torchinfo[name]!;
    const [model, size] = MODELS[name]!;
    const got = summary(model, size);
    expect(
      got.rows.map((r, i) => ({
        type: r.typeName,
        depth: r.depth,
        output: [...(r.outputShape ?? [])],
        params: r.params,
        recursive: r.repeated,
        macs: want.rows[i]?.macs === null ? null : r.multiplyAdds,
      })),
    ).toEqual(want.rows);
    const { totalParams, trainableParams, multiplyAdds, outputBytes, paramBytes } = got;
    expect({ totalParams, trainableParams, multiplyAdds, outputBytes, paramBytes }).toEqual({
      totalParams: want.totalParams,
      trainableParams: want.trainableParams,
      multiplyAdds: want.multiplyAdds,
      outputBytes: want.outputBytes,
      paramBytes: want.paramBytes,
    });
  });
});

describe('the text', () => {
  it('is a table of layers with totals', () => {
    const text = String(summary(new Nested(), [3, 8]));
    const rows = text.split('\n').map((l) => l.replaceAll(/ {2,}/g, '  '));
    expect(rows.slice(1, 10)).toEqual([
      'Layer (name): depth-index  Output Shape  Param #  Mult-Adds',
      rows[0],
      'Nested  [3, 5]  --  --',
      '├─Sequential (body): 1-1  [3, 16]  --  --',
      '│  └─Linear (0): 2-1  [3, 16]  144  432',
      '│  └─Tanh (1): 2-2  [3, 16]  --  --',
      '├─ModuleList (heads): 1-2  --  --  --',
      '│  └─Linear (0): 2-3  [3, 2]  34  102',
      '│  └─Linear (1): 2-4  [3, 3]  (48)  144',
    ]);
    expect(text).toContain('Total params: 226\nTrainable params: 178\nNon-trainable params: 48');
  });

  it('of a CNN has torchinfo’s totals', () => {
    const totals = (s: string): string[] => s.split('\n').filter((l) => / \(MB\)|params:/.test(l));
    expect(totals(String(summary(cnn(), [2, 1, 28, 28])))).toEqual(totals(torchinfo['cnn']!.text));
  });

  it('stops at a depth, where layers count for all below them', () => {
    const text = String(summary(new Nested(), [3, 8], { depth: 1 }));
    expect(text).toMatch(/├─Sequential \(body\): 1-1 +\[3, 16\] +144 +432/);
    expect(text).not.toContain('2-1');
  });

  it('shows the columns that are asked for', () => {
    const text = String(summary(new Nested(), [3, 8], { columns: ['inputShape', 'kernelShape', 'percent', 'trainable'] }));
    expect(text).toMatch(/└─Linear \(1\): 2-4 +\[3, 16\] +\[3, 16\] +21.24 % +False/);
    expect(text).toMatch(/^Nested +\[3, 8\] +-- +-- +Partial/m);
  });

  it('without an input there are parameters only', () => {
    const s = summary(new Shared(), null);
    expect([s.totalParams, s.multiplyAdds, s.ran]).toEqual([20, 0, false]);
    expect(String(s)).not.toContain('Mult-Adds');
  });
});

describe('what it leaves alone', () => {
  it('modes, statistics, random numbers, hooks and gradients', () => {
    const model = cnn();
    model.at(5).eval();
    manualSeed(3);
    const { generator } = runtimes.current;
    const before = generator.getState();
    const state = model.stateDict().get('1.running_mean')!.clone();
    summary(model, [1, 1, 28, 28]);
    expect(generator.getState()).toEqual(before);
    expect([model.training, model.at(5).training, model.at(4).training]).toEqual([true, false, true]);
    expect(model.stateDict().get('1.running_mean')!.toArray()).toEqual(state.toArray());
    expect(model.parameters().every((p) => p.grad === null)).toBe(true);
  });

  it('also after an error', () => {
    const model = new Shared();
    expect(() => summary(model, [2, 9])).toThrow(expect.objectContaining({ code: 'ERR_MATMUL_SHAPE' }) as Error);
    expect(model.training).toBe(true);
    expect(summary(model, [5, 4]).rows.length).toBe(3);
  });
});

it('several inputs, integers, and arguments that are given', () => {
  class Two extends nn.Module {
    table = new nn.Embedding(10, 4);
    forward(ids: Tensor, scale: Tensor): Tensor {
      return this.table(ids).mul(scale);
    }
  }
  const two = new Two();
  expect(summary(two, [[2, 3], [1]], { dtypes: ['int32', 'float32'] }).root.outputShape).toEqual([2, 3, 4]);
  expect(summary(two, null, { inputs: [zeros([5], { dtype: 'int32' }), rand([1])] }).root.outputShape).toEqual([5, 4]);
  expect(() => summary(two, [0, 3])).toThrow(expect.objectContaining({ code: 'ERR_INPUT_SIZE' }) as Error);
});

it('a transformer: each product of the weights is counted', () => {
  const s = summary(new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16, batchFirst: true }), [2, 5, 8]);
  const rows = 2 * 5;
  const attention = rows * (3 * 8 * 8 + 3 * 8);
  const linears = rows * (8 * 16 + 16 + 16 * 8 + 8);
  expect(s.rows.find((r) => r.path === 'linear1')!.multiplyAdds).toBe(rows * (8 * 16 + 16));
  expect(s.multiplyAdds).toBeGreaterThanOrEqual(attention + linears);
});

it('an async forward is refused', () => {
  class Later extends nn.Module {
    async forward(x: Tensor): Promise<Tensor> {
      return x;
    }
  }
  expect(() => summary(new Later(), [1])).toThrow(expect.objectContaining({ code: 'ERR_ASYNC_FORWARD' }) as Error);
});
