/** @file Errors that know what was meant: wrong names of dtypes, devices, options and state_dict keys. And slips of JavaScript. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { didYouMean } from '@tessera/core';
import { data, init, installFormatter, nn, ones, optim, tensor, type Tensor, zeros } from '../src/index.js';

/** What is thrown by callers without a compiler. */
function thrown(fn: () => unknown): { code: string; message: string } {
  try {
    fn();
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('nothing was thrown');
}
const untyped = <T>(options: object): T => options as unknown as T;

describe('did you mean', () => {
  it('finds the nearest name, other spellings, and names from elsewhere', () => {
    expect(didYouMean('flot32', ['float16', 'float32'])).toBe(". Did you mean 'float32'?");
    expect(didYouMean('weight_decay', ['lr', 'weightDecay'])).toBe(". Did you mean 'weightDecay'?");
    expect(didYouMean('cuda', ['cpu', 'webgpu'])).toBe(". Did you mean 'webgpu'?");
    expect(didYouMean('wegbpu', ['cpu', 'webgpu'])).toBe(". Did you mean 'webgpu'?");
    expect(didYouMean('elephant', ['cpu', 'webgpu'])).toBe('');
    expect(didYouMean(undefined, ['cpu'])).toBe('');
  });

  it('dtypes', () => {
    for (const make of [
      () => zeros(2, untyped({ dtype: 'float' })),
      () => tensor([1], untyped({ dtype: 'float' })),
      () => ones(2).to(untyped({ dtype: 'float' })),
    ]) {
      expect(thrown(make)).toMatchObject({
        code: 'ERR_DTYPE_UNKNOWN',
        message: expect.stringContaining("Did you mean 'float32'?") as string,
      });
    }
    expect(thrown(() => ones(2).to('long')).message).toContain("Did you mean 'int32'?");
  });

  it('devices', async () => {
    expect(thrown(() => zeros(2, { device: 'wsam' }))).toMatchObject({ code: 'ERR_DEVICE_UNKNOWN' });
    await expect(init({ device: 'cuda' })).rejects.toThrow("Did you mean 'webgpu'?");
  });

  it('options of init, loaders and optimizers', async () => {
    await expect(init(untyped({ backend: 'cpu' }))).rejects.toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringContaining("'device'") as string,
    });
    expect(thrown(() => new data.DataLoader(new data.TensorDataset(ones(2)), untyped({ batch_size: 2 }))).message).toContain("'batchSize'");
    const params = new nn.Linear(1, 1).parameters();
    expect(thrown(() => new optim.Adam(params, untyped({ learningRate: 1 })))).toMatchObject({
      code: 'ERR_OPTIM_OPTION',
      message: expect.stringContaining("Did you mean 'lr'?") as string,
    });
  });

  it('keys of a state_dict: the nearest, and the prefix of a wrapper', () => {
    const model = new nn.Linear(2, 2);
    expect(thrown(() => model.loadStateDict({ weights: zeros(2, 2), bias: zeros(2) })).message).toContain(
      'Did you mean "weight" for "weights"?',
    );
    expect(thrown(() => model.loadStateDict({ 'module.weight': zeros(2, 2), 'module.bias': zeros(2) })).message).toContain(
      "begin with 'module.'",
    );
    const inner = new nn.Sequential(new nn.Linear(2, 2));
    class Wrapped extends nn.Module {
      model = inner;
      forward(x: Tensor): Tensor {
        return this.model(x);
      }
    }
    expect(thrown(() => new Wrapped().loadStateDict(new nn.Sequential(new nn.Linear(2, 2)).stateDict())).message).toContain(
      "Keys of the model begin with 'model.'",
    );
  });
});

describe('slips of JavaScript', () => {
  it('operators on tensors throw, and name the methods', () => {
    const x = ones(2) as unknown as number;
    for (const slip of [() => x + 1, () => x * 2, () => x < 3, () => -x, () => Math.max(x, 1)])
      expect(thrown(slip)).toMatchObject({ code: 'ERR_OPERATOR', message: expect.stringContaining('a.add(b)') as string });
    expect(`${ones(2) as unknown as string}`).toBe('tensor([1., 1.])');
  });
});

describe('how tensors are shown', () => {
  it('util.inspect prints them as PyTorch does, at any depth', () => {
    expect(inspect(ones(2))).toBe('tensor([1., 1.])');
    expect(inspect({ loss: ones(1) })).toBe('{ loss: tensor([1.]) }');
  });

  it('one that was disposed of says so, and does not throw', () => {
    const x = ones(2, 3);
    x.dispose();
    expect(inspect(x)).toBe("Tensor(disposed of, shape=[2, 3], dtype=float32, device='cpu')");
  });

  it('installFormatter teaches Chrome’s console', () => {
    type Formatter = Record<'header' | 'body' | 'hasBody', (value: unknown) => unknown>;
    const tools = globalThis as { devtoolsFormatters?: Formatter[] };
    const handle = installFormatter();
    installFormatter();
    expect(tools.devtoolsFormatters).toHaveLength(1);
    const [formatter] = tools.devtoolsFormatters!;
    expect(formatter!.header(ones(2, 3))).toEqual(['span', {}, 'Tensor [2, 3] float32 cpu']);
    expect(formatter!.header(new nn.Linear(2, 3))).toEqual(['span', {}, 'Linear (9 parameters)']);
    expect((formatter!.body(ones(2)) as unknown[])[2]).toBe('tensor([1., 1.])');
    for (const other of [1, null, undefined, {}, () => 0]) expect(formatter!.header(other)).toBeNull();
    handle.remove();
    expect(tools.devtoolsFormatters).toEqual([]);
  });
});
