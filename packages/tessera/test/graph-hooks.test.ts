/** @file Hooks on nodes of the graph, on several gradients at once, and what else autograd.graph has. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { autograd, grad, ones, randn, scope, tensor, type Tensor } from '../src/index.js';

const torch = JSON.parse(readFileSync(new URL('./fixtures/func/func.json', import.meta.url), 'utf8')) as { order: unknown; names: unknown };
const code = (name: string): Error => expect.objectContaining({ code: name }) as Error;
const leaf = (data: number[]): Tensor => tensor(data, { dtype: 'float64', requiresGrad: true });

describe('hooks on nodes', () => {
  it('run in PyTorch’s order and see what PyTorch’s see', () => {
    const a = leaf([1, 2]);
    const b = a.mul(3);
    const y = b.exp();
    const order: unknown[] = [];
    b.registerHook((g) => void order.push(['tensor', g.toArray()]));
    b.gradFn!.registerPrehook(([g]) => void order.push(['prehook', g!.toArray()]));
    b.gradFn!.registerHook((inputs, outputs) => void order.push(['hook', inputs[0]!.toArray(), outputs[0]!.toArray()]));
    y.sum().backward();
    expect(order).toEqual(torch.order);
    expect([
      y.gradFn!.name,
      y.gradFn!.nextFunctions.map(([n]) => n!.name),
      `torch::autograd::${b.gradFn!.nextFunctions[0]![0]!.name}`,
    ]).toEqual(torch.names);
  });

  it('replace gradients, until they are removed', () => {
    const a = leaf([1, 2]);
    const run = (prepare: (b: Tensor) => void): unknown => {
      a.grad = null;
      const b = a.mul(3);
      prepare(b);
      b.sum().backward();
      return a.grad!.toArray();
    };
    expect(run((b) => void b.gradFn!.registerPrehook(([g]) => [g!.mul(2)]))).toEqual([6, 6]);
    expect(run((b) => void b.gradFn!.registerHook((inputs) => inputs.map((g) => g?.mul(10) ?? null)))).toEqual([30, 30]);
    expect(run((b) => b.gradFn!.registerHook((inputs) => inputs.map((g) => g?.mul(10) ?? null)).remove())).toEqual([3, 3]);
  });

  it('see all outputs of an op that has several', () => {
    const a = leaf([3, 1, 2]);
    const [values] = Split.apply(a);
    const seen: unknown[] = [];
    values.gradFn!.registerPrehook((gs) => void seen.push(gs.map((g) => g?.toArray() ?? null)));
    values.sum().backward();
    expect(seen).toEqual([[[1, 1, 1], null]]);
    expect(values.gradFn!.nextFunctions).toEqual([[a.accumulator(), 0]]);
  });

  it('work on leaves’ nodes', () => {
    const a = leaf([1]);
    const seen: unknown[] = [];
    const { node } = autograd.graph.getGradientEdge(a);
    node.registerPrehook(([g]) => [g!.mul(2)]);
    node.registerHook((inputs, outputs) => void seen.push(inputs.length, outputs[0]!.item()));
    a.mul(5).sum().backward();
    expect([a.grad!.item(), seen, node.variable === a]).toEqual([10, [0, 10], true]);
  });

  it('are refused other shapes and numbers of gradients', () => {
    const y = leaf([1, 2]).mul(3);
    const h = y.gradFn!.registerHook(() => [ones([5]), null]);
    expect(() => y.sum().backward(null, { retainGraph: true })).toThrow(code('ERR_HOOK_SHAPE'));
    h.remove();
    y.gradFn!.registerPrehook(() => []);
    expect(() => y.sum().backward()).toThrow(code('ERR_HOOK_RESULT'));
  });

  it('what they keep is theirs, within a scope too', () => {
    const a = leaf([1, 2]);
    const kept: Tensor[] = [];
    const y = a.mul(3);
    y.gradFn!.registerHook((inputs) => void kept.push(inputs[0]!));
    y.exp().sum().backward();
    expect(kept[0]!.isDisposed).toBe(false);
    expect(kept[0]!.toArray()).toEqual(a.grad!.toArray());
    expect(scope(() => grad(a.mul(2).sum(), a)[0]!).toArray()).toEqual([2, 2]);
  });

  it('have a place to remember things', () => {
    const y = leaf([1]).mul(2);
    y.gradFn!.metadata['seen'] = 1;
    expect(y.gradFn!.metadata).toEqual({ seen: 1 });
  });
});

class Split extends autograd.Function {
  static forward(_ctx: autograd.FunctionContext, x: Tensor): [Tensor, Tensor] {
    return [x.mul(1), x.mul(2)];
  }
  static backward(_ctx: autograd.FunctionContext, a: Tensor, b: Tensor): Tensor {
    return a.add(b.mul(2));
  }
}

describe('multi-grad hooks', () => {
  it('are called once a pass, when all that it computes have come', () => {
    const [a, b, c] = [leaf([1]), leaf([2]), leaf([3])];
    const seen: unknown[] = [];
    const handle = autograd.graph.registerMultiGradHook([a, b, c], (grads) => void seen.push(grads.map((g) => g?.item() ?? null)));
    a.mul(b).sum().backward();
    a.mul(b).mul(c).sum().backward();
    expect(seen).toEqual([
      [2, 1, null],
      [6, 3, 2],
    ]);
    handle.remove();
    a.sum().backward();
    expect(seen.length).toBe(2);
  });

  it('or with the first', () => {
    const [a, b] = [leaf([1]), leaf([2])];
    const seen: number[] = [];
    autograd.graph.registerMultiGradHook([a, b], (g: Tensor) => void seen.push(g.item()), { mode: 'any' });
    a.mul(b).sum().backward();
    expect(seen.length).toBe(1);
  });
});

describe('saved tensors', () => {
  it('may wait on the CPU', () => {
    const a = randn([3]).requiresGrad_();
    autograd.graph.saveOnCpu(() => a.exp().sum()).backward();
    expect(a.grad!.toArray()).toEqual(a.detach().exp().toArray());
  });
  it('hooks on them can be forbidden', () => {
    expect(() => autograd.graph.disableSavedTensorsHooks('not here', () => autograd.graph.saveOnCpu(() => 1))).toThrow(
      code('ERR_SAVED_HOOKS'),
    );
    expect(autograd.graph.saveOnCpu(() => 1)).toBe(1);
  });
  it('a write that autograd could not see can be told', () => {
    const a = leaf([1, 2]);
    const b = a.mul(1);
    const y = b.square();
    autograd.graph.incrementVersion(b);
    expect(() => y.sum().backward()).toThrow(code('ERR_INPLACE_MODIFIED'));
  });
});
