/** @file PyTorch's names as Python spells them: callers without a compiler are told what they are here. */
import { describe, expect, it } from 'vitest';
import * as torch from '../src/index.js';
import { data, F, nn, ones, optim, type Tensor } from '../src/index.js';

type Untyped = Record<string, (...args: unknown[]) => unknown> & { lr_scheduler: { StepLR: new () => unknown } };
const untyped = (x: unknown): Untyped => x as Untyped;
const model = new nn.Linear(2, 3);
const makeOptimizer = (): optim.SGD => new optim.SGD(model.parameters());

describe('are refused with the name that is meant', () => {
  it.each<[string, () => unknown]>([
    ['optimizer.zero_grad is zeroGrad here', () => untyped(makeOptimizer()).zero_grad!()],
    ['optimizer.load_state_dict is loadStateDict here', () => untyped(makeOptimizer()).load_state_dict!({})],
    ['optimizer.param_groups is paramGroups here', () => untyped(makeOptimizer()).param_groups],
    ['module.state_dict is stateDict here', () => untyped(model).state_dict!()],
    ['module.load_state_dict is loadStateDict here', () => untyped(model).load_state_dict!({})],
    ['module.named_parameters is namedParameters here', () => untyped(model).named_parameters!()],
    ['module.requires_grad_ is requiresGrad_ here', () => untyped(model).requires_grad_!(false)],
    ['module.register_buffer is registerBuffer here', () => untyped(model).register_buffer!('b', ones(1))],
    ['scheduler.get_last_lr is getLastLr here', () => untyped(new optim.lrScheduler.StepLR(makeOptimizer(), 3)).get_last_lr!()],
    ['tensor.view_as is viewAs here', () => untyped(ones(2)).view_as!(ones(2))],
    ['tensor.requires_grad is requiresGrad here', () => untyped(ones(2)).requires_grad],
    ['tensor.requires_grad is requiresGrad here', () => Object.assign(ones(2), { requires_grad: true })],
    ['tensor.index_select is indexSelect here', () => untyped(ones(2)).index_select!(0, ones(1))],
    [
      'loader.load_state_dict is loadStateDict here',
      () => untyped(new data.DataLoader(new data.TensorDataset(ones(2)))).load_state_dict!(),
    ],
    ['F.cross_entropy is F.crossEntropy here', () => untyped(F).cross_entropy!(ones(1, 2), ones(1))],
    ['torch.no_grad is noGrad here', () => untyped(torch).no_grad!()],
    ['torch.manual_seed is manualSeed here', () => untyped(torch).manual_seed!(0)],
    ['optim.lr_scheduler is optim.lrScheduler here', () => new (untyped(optim).lr_scheduler.StepLR)()],
    ['nn.utils.clip_grad_norm_ is nn.utils.clipGradNorm_ here', () => untyped(nn.utils).clip_grad_norm_!([], 1)],
    ['nn.init.xavier_uniform_ is nn.init.xavierUniform_ here', () => untyped(nn.init).xavier_uniform_!(ones(2, 2))],
    ['data.random_split is data.randomSplit here', () => untyped(data).random_split!([], [])],
  ])('%s', (message, use) => {
    expect(use).toThrow(expect.objectContaining({ code: 'ERR_NAME', message: expect.stringContaining(message) as string }));
  });
});

it('what each of them names is there', async () => {
  for (const namespace of [torch, F, nn.utils, nn.init, optim, data]) {
    for (const [name, value] of Object.entries(namespace as Record<string, unknown>)) {
      if (!/^[a-z]+\d?[a-z]*(_\w+)+$/.test(name) || name.endsWith('_') === (name.match(/_/g)!.length === 1)) continue;
      const error = await (async () => (value as () => never)())().catch((thrown: unknown) => thrown as Error & { code?: string });
      if (error.code !== 'ERR_NAME') continue;
      const here = / is (?:[\w.]*\.)?(\w+) here/.exec(error.message)![1]!;
      expect(namespace, name).toHaveProperty(here);
    }
  }
});

it('fields of a model may have such names', () => {
  class Net extends nn.Module {
    state_dict = 1;
    declare train_mode: number;
    constructor() {
      super();
      Object.assign(this, { named_parameters: 2 });
    }
    forward(x: Tensor): Tensor {
      return x;
    }
  }
  const net = new Net();
  expect([net.state_dict, (net as unknown as { named_parameters: number }).named_parameters]).toEqual([1, 2]);
  expect(net.namedParameters()).toEqual([]);
});

it('a loader that is not awaited says so', () => {
  const loader = new data.DataLoader(new data.TensorDataset(ones(2))) as unknown as Iterable<unknown>;
  for (const use of [() => [...loader], () => Array.from(loader)])
    expect(use).toThrow(expect.objectContaining({ code: 'ERR_ASYNC_ITERATION' }));
});
