/** @file checkLayer on layers of nn, in this runner; and on layers that are wrong, each of which fails the check that is about it. */
import { autograd, Buffer, Module, Parameter, randn, type Tensor, zeros } from '@tessera/core';
import * as nn from '@tessera/layers';
import { describe, expect, it } from 'vitest';
import { checkLayer, type LayerCase } from '../src/index.js';

const x = (): Tensor[] => [randn(3, 4)];

checkLayer({
  test: { describe, it },
  name: 'checkLayer: layers of nn',
  cases: [
    {
      name: 'Linear',
      layer: () => new nn.Linear(4, 2),
      inputs: x,
      shape: [3, 2],
      repr: 'Linear(in_features=4, out_features=2, bias=True)',
    },
    { name: 'BatchNorm1d', layer: () => new nn.BatchNorm1d(4), inputs: x, shape: [3, 4] },
    { name: 'Dropout', layer: () => new nn.Dropout(0.5), inputs: x, shape: [3, 4], random: true },
    {
      name: 'LSTM',
      layer: () => new nn.LSTM(4, 5),
      inputs: () => [randn(2, 3, 4)],
      shape: [
        [2, 3, 5],
        [1, 3, 5],
        [1, 3, 5],
      ],
    },
    { name: 'a stack', layer: () => new nn.Sequential(new nn.Linear(4, 6), new nn.GELU(), new nn.LayerNorm(6)), inputs: x, shape: [3, 6] },
  ],
});

/** Runs the tests of a case, and answers the names of those that failed. */
async function failures(one: LayerCase, layers: readonly (new (...args: never[]) => Module)[] = []): Promise<string[]> {
  const tests: [string, () => Promise<void>][] = [];
  checkLayer({ test: { describe: (_, body) => body(), it: (name, body) => tests.push([name, body]) }, cases: [one], layers });
  const failed: string[] = [];
  for (const [name, body] of tests) await body().catch((error: Error) => failed.push(`${name}: ${error.message.split('\n')[0]}`));
  return failed;
}

/** A sound layer, to be broken in one thing by each of the classes below. */
class Scale extends Module {
  static override readonly typeName: string = 'Scale';
  static readonly signature: string = 'size: int';
  weight: Parameter;
  constructor(readonly size: number) {
    super();
    this.weight = new Parameter(zeros(size).add(2));
  }
  forward(input: Tensor): Tensor {
    return input.mul(this.weight);
  }
}
const scaleCase = (layer: () => Module, more: Partial<LayerCase> = {}): LayerCase => ({ layer, inputs: x, shape: [3, 4], ...more });

describe('checkLayer: a wrong layer fails the check that is about it', () => {
  it('a sound one fails none', async () => {
    expect(
      await failures(
        scaleCase(() => new Scale(4)),
        [Scale],
      ),
    ).toEqual([]);
  });

  it('another shape', async () => {
    expect(
      await failures(
        scaleCase(() => new Scale(4), { shape: [3, 5] }),
        [Scale],
      ),
    ).toEqual([expect.stringMatching(/^gives the shapes/)]);
  });

  it('random numbers in eval()', async () => {
    class Noisy extends Scale {
      static override readonly typeName = 'Noisy';
      static override readonly signature = 'size: int';
      override forward(input: Tensor): Tensor {
        return super.forward(input).add(randn(4, { dtype: input.dtype, device: input.device }));
      }
    }
    expect(
      (
        await failures(
          scaleCase(() => new Noisy(4)),
          [Noisy],
        )
      ).join('\n'),
    ).toMatch(/trains and infers, .*random/);
  });

  it('a plain tensor as state', async () => {
    class Plain extends Scale {
      static override readonly typeName = 'Plain';
      static override readonly signature = 'size: int';
      offset = randn(4);
      override forward(input: Tensor): Tensor {
        return super.forward(input).add(this.offset);
      }
    }
    const found = await failures(
      scaleCase(() => new Plain(4)),
      [Plain],
    );
    expect(found).toContainEqual(expect.stringMatching(/state_dict: Plain\.offset is a plain tensor/));
    expect(found).toContainEqual(expect.stringMatching(/^gives the same on every device/));
  });

  it('a gradient that is wrong, or lost', async () => {
    class Wrong extends autograd.Function {
      static forward(_: unknown, input: Tensor): Tensor {
        return input.mul(3);
      }
      static backward(_: unknown, grad: Tensor): Tensor {
        return grad.mul(2);
      }
    }
    class Triple extends Scale {
      static override readonly typeName = 'Triple';
      static override readonly signature = 'size: int';
      override forward(input: Tensor): Tensor {
        return (Wrong as unknown as { apply(x: Tensor): Tensor }).apply(super.forward(input));
      }
    }
    expect(
      await failures(
        scaleCase(() => new Triple(4)),
        [Triple],
      ),
    ).toEqual([expect.stringMatching(/^has the right gradients/)]);
    class Lost extends Scale {
      static override readonly typeName = 'Lost';
      static override readonly signature = 'size: int';
      override forward(input: Tensor): Tensor {
        return input.mul(this.weight.detach());
      }
    }
    expect(
      await failures(
        scaleCase(() => new Lost(4)),
        [Lost],
      ),
    ).toEqual([expect.stringMatching(/gradients.*no gradient reaches its parameter weight/)]);
  });

  it('options that its signature leaves out, and a name that it has not', async () => {
    class Bare extends Module {
      readonly shift: Buffer;
      constructor(readonly by: number) {
        super();
        this.shift = new Buffer(zeros(4).add(by));
      }
      static readonly signature = '{ by: number = 1 }';
      forward(input: Tensor): Tensor {
        return input.add(this.shift);
      }
    }
    const found = await failures(
      scaleCase(() => new Bare(3)),
      [Bare],
    );
    expect(found).toContainEqual(expect.stringMatching(/^comes back from JSON/));
    expect(found).toContainEqual(expect.stringMatching(/^prints .*no static typeName/));
  });
});
