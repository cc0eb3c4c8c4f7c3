/** @file What PyTorch's autograd promises, promise by promise. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  arange,
  autograd,
  backward,
  cat,
  enableGrad,
  grad,
  inferenceMode,
  isGradEnabled,
  noGrad,
  ones,
  runtimes,
  setGradEnabled,
  type Tensor,
  tensor,
  zeros,
} from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => void runtimes.current.use(plainPlugin()));

const leaf = (data: number | number[] | number[][]): Tensor => tensor(data, { requiresGrad: true });
const numbers = (t: Tensor | null): unknown => t?.toArray();

describe('accumulation', () => {
  it('adds to .grad until it is cleared', () => {
    const x = leaf([1, 2]);
    x.mul(3).sum().backward();
    x.mul(x).sum().backward();
    expect(numbers(x.grad)).toEqual([5, 7]);
    x.grad = null;
    x.sum().backward();
    expect(numbers(x.grad)).toEqual([1, 1]);
  });

  it('adds in place, so that who holds .grad sees it', () => {
    const x = leaf([1, 2]);
    x.sum().backward();
    const held = x.grad!;
    x.sum().backward();
    expect(x.grad).toBe(held);
    expect(numbers(held)).toEqual([2, 2]);
  });

  it('gives each leaf a gradient of its own', () => {
    const x = leaf([1, 2]);
    const y = leaf([3, 4]);
    const seed = tensor([1, 10]);
    x.add(y).backward(seed);
    x.grad!.mul_(100);
    expect(numbers(y.grad)).toEqual([1, 10]);
    expect(numbers(seed)).toEqual([1, 10]);
  });

  it('counts each use of a tensor', () => {
    const x = leaf(3);
    const y = x.mul(x).add(x);
    y.add(y).backward();
    expect(x.grad!.item()).toBe(14);
  });

  it('sums over dims that were broadcast', () => {
    const row = leaf([1, 2, 3]);
    const column = leaf([[1], [2]]);
    row.mul(column).sum().backward();
    expect(numbers(row.grad)).toEqual([3, 3, 3]);
    expect(numbers(column.grad)).toEqual([[6], [6]]);
  });

  it('takes several roots at once', () => {
    const x = leaf([1, 2]);
    backward([x.sum(), x.mul(2)], [null, tensor([1, 1])]);
    expect(numbers(x.grad)).toEqual([3, 3]);
  });

  it('restricts itself to the inputs that are named', () => {
    const x = leaf(2);
    const y = leaf(3);
    x.mul(y).backward(null, { inputs: [x] });
    expect(x.grad!.item()).toBe(3);
    expect(y.grad).toBeNull();
  });
});

describe('the graph', () => {
  it('is freed by backward, unless retainGraph keeps it', () => {
    const x = leaf([2]);
    const y = x.mul(x).sum();
    y.backward({ retainGraph: true });
    y.backward();
    expect(numbers(x.grad)).toEqual([8]);
    expect(() => y.backward()).toThrow(/backward through the graph a second time/);
    expect(() => y.backward()).toThrow(expect.objectContaining({ code: 'ERR_GRAPH_FREED' }));
  });

  it('may be walked again where nothing was saved', () => {
    const x = leaf([2]);
    const y = x.add(1).sum();
    y.backward();
    y.backward();
    expect(numbers(x.grad)).toEqual([2]);
  });

  it('shares what two losses have in common', () => {
    const x = leaf([1, 2]);
    const common = x.exp();
    const first = common.sum();
    const second = common.mul(2).sum();
    first.backward(null, { retainGraph: true });
    second.backward();
    expect(numbers(x.grad)).toEqual([1, 2].map((v) => expect.closeTo(3 * Math.exp(v), 4)));
  });

  it('walks 10,000 nodes in a row, and diamonds of as many, without a stack', () => {
    const x = leaf([1]);
    let chain: Tensor = x;
    for (let i = 0; i < 10_000; i++) chain = chain.add(0);
    chain.sum().backward();
    expect(numbers(x.grad)).toEqual([1]);
    const y = leaf([1]);
    let diamond: Tensor = y;
    for (let i = 0; i < 10_000; i++) diamond = diamond.add(diamond, { alpha: 0 });
    diamond.sum().backward();
    expect(numbers(y.grad)).toEqual([1]);
  });

  it('runs each node once all its gradients are there', () => {
    const x = leaf([3]);
    const seen: number[] = [];
    const a = x.mul(2);
    a.registerHook((g) => void seen.push(g.item()));
    a.mul(a).add(a).sum().backward();
    expect(seen).toEqual([13]);
    expect(numbers(x.grad)).toEqual([26]);
  });

  it('asks for a gradient where the output has several elements', () => {
    const x = leaf([1, 2]);
    expect(() => x.mul(2).backward()).toThrow(/implicitly created only for scalar outputs/);
    expect(() => x.mul(2).backward(ones(3))).toThrow(/Mismatch in shape/);
    expect(() => tensor([1]).backward()).toThrow(/does not require grad/);
  });
});

describe('grad()', () => {
  it('answers gradients without touching .grad', () => {
    const x = leaf([1, 2]);
    const y = leaf([3, 4]);
    const [dx, dy] = grad(x.mul(y).sum(), [x, y]);
    expect(numbers(dx!)).toEqual([3, 4]);
    expect(numbers(dy!)).toEqual([1, 2]);
    expect(x.grad).toBeNull();
    expect(dx!.requiresGrad).toBe(false);
  });

  it('differentiates by tensors inside the graph', () => {
    const x = leaf([2]);
    const middle = x.mul(x);
    const [g] = grad(middle.mul(3).sum(), [middle]);
    expect(numbers(g!)).toEqual([3]);
  });

  it('refuses inputs that were not used, unless that is allowed', () => {
    const x = leaf(1);
    const unused = leaf(1);
    expect(() => grad(x.mul(2), [unused])).toThrow(/appears to not have been used in the graph/);
    expect(grad(x.mul(2), [unused], { allowUnused: true })).toEqual([null]);
    expect(grad(x.mul(2), [unused], { materializeGrads: true })[0]!.item()).toBe(0);
    expect(() => grad(x.mul(2), [tensor(1)])).toThrow(/does not require grad/);
  });

  it('walks only what leads to the inputs', () => {
    const x = leaf(2);
    const y = leaf(3);
    const asked: string[] = [];
    const side = y.mul(5);
    side.registerHook(() => void asked.push('side'));
    const main = x.mul(2);
    main.registerHook(() => void asked.push('main'));
    grad(main.add(side.exp()), [x]);
    expect(asked).toEqual(['main']);
  });

  it('gives derivatives of any order with createGraph', () => {
    const x = leaf(2);
    let d = x.pow(4);
    const orders: number[] = [];
    for (let i = 0; i < 5; i++) {
      const [next] = grad(d, [x], { createGraph: true, allowUnused: true });
      orders.push(next?.item() ?? 0);
      if (next === null || !next!.requiresGrad) break;
      d = next!;
    }
    expect(orders).toEqual([32, 48, 48, 24, 0].slice(0, orders.length).map((v) => expect.closeTo(v, 3)));
    expect(orders.length).toBeGreaterThanOrEqual(4);
  });
});

describe('writing in place', () => {
  it('is noticed where the old value was saved', () => {
    const x = leaf([1, 2]);
    const y = x.mul(2);
    const z = y.mul(y);
    y.add_(1);
    expect(() => z.sum().backward()).toThrow(/modified by an inplace operation/);
    expect(() => z.sum().backward()).toThrow(expect.objectContaining({ code: 'ERR_INPLACE_MODIFIED' }));
  });

  it('does no harm where it was not', () => {
    const x = leaf([1, 2]);
    const y = x.mul(2);
    const z = y.add(1);
    y.mul_(10);
    z.sum().add(y.sum()).backward();
    expect(numbers(x.grad)).toEqual([22, 22]);
  });

  it('is refused on leaves and on their views, and allowed without recording', () => {
    const x = leaf([
      [1, 2],
      [3, 4],
    ]);
    expect(() => x.add_(1)).toThrow(/leaf Variable that requires grad is being used in an in-place operation/);
    expect(() => x.select(0, 0).add_(1)).toThrow(/view of a leaf Variable that requires grad/);
    noGrad(() => x.mul_(2));
    expect(numbers(x)).toEqual([
      [2, 4],
      [6, 8],
    ]);
    expect(x.isLeaf).toBe(true);
    expect(x.version).toBe(1);
  });

  it('carries the history on', () => {
    const x = leaf([1, 2, 3]);
    const y = zeros(3);
    y.copy_(x.mul(2));
    expect(y.requiresGrad).toBe(true);
    y.mul_(y.detach().clone());
    y.sum().backward();
    expect(numbers(x.grad)).toEqual([4, 8, 12]);
  });

  it('reaches the base from a view, and views from the base', () => {
    const x = leaf([
      [1, 2],
      [3, 4],
    ]);
    const y = x.mul(1);
    const row = y.select(0, 0);
    const column = y.select(1, 1);
    row.mul_(10);
    expect(numbers(column)).toEqual([20, 4]);
    y.mul_(2);
    row.sum().add(column.sum()).backward();
    expect(numbers(x.grad)).toEqual([
      [20, 40],
      [0, 2],
    ]);
  });

  it('notices writes through another view of a saved tensor', () => {
    const x = leaf([1, 2, 3, 4]);
    const y = x.mul(1);
    const [a, b] = [y.narrow(0, 0, 2), y.narrow(0, 2, 2)];
    const z = a.mul(a);
    b.add_(1);
    // Versions count by storage, as in PyTorch.
    expect(() => z.sum().backward()).toThrow(/modified by an inplace/);
  });
});

describe('hooks', () => {
  it('run in order, each on what the one before left, and can be removed', () => {
    const x = leaf([1, 2]);
    const y = x.mul(2);
    const order: string[] = [];
    y.registerHook((g) => {
      order.push('first');
      return g.mul(10);
    });
    const second = y.registerHook((g) => {
      order.push(`second ${String(g.toArray())}`);
      return g.add(1);
    });
    y.sum().backward();
    expect(order).toEqual(['first', 'second 10,10']);
    expect(numbers(x.grad)).toEqual([22, 22]);
    second.remove();
    second.remove();
    x.grad = null;
    x.mul(1);
    y.sum().backward();
    expect(numbers(x.grad)).toEqual([20, 20]);
  });

  it('on leaves see the sum of one pass, before it is accumulated', () => {
    const x = leaf([1]);
    const seen: number[] = [];
    x.registerHook((g) => {
      seen.push(g.item());
      return g.mul(2);
    });
    x.add(x).sum().backward();
    x.sum().backward();
    expect(seen).toEqual([2, 1]);
    expect(numbers(x.grad)).toEqual([6]);
  });

  it('after accumulation get the tensor', () => {
    const x = leaf([1]);
    const seen: unknown[] = [];
    const handle = x.registerPostAccumulateGradHook((t) => {
      seen.push(t.grad!.item());
      t.grad = null;
    });
    x.mul(3).sum().backward();
    expect(x.grad).toBeNull();
    handle.remove();
    x.mul(4).sum().backward();
    expect(seen).toEqual([3]);
    expect(numbers(x.grad)).toEqual([4]);
    expect(() => x.mul(2).registerPostAccumulateGradHook(() => {})).toThrow(/non-leaf/);
  });

  it('may not change the shape, nor sit where no gradient comes', () => {
    const x = leaf([1, 2]);
    const y = x.mul(2);
    y.registerHook(() => ones(3));
    expect(() => y.sum().backward()).toThrow(/hook/);
    expect(() => tensor([1]).registerHook(() => {})).toThrow(/does not require gradient/);
  });

  it('change what grad() answers', () => {
    const x = leaf([1]);
    x.registerHook((g) => g.mul(5));
    expect(numbers(grad(x.mul(2).sum(), [x])[0]!)).toEqual([10]);
  });
});

describe('retainGrad', () => {
  it('keeps the gradient of a tensor inside the graph, after its hooks', () => {
    const x = leaf([1, 2]);
    const y = x.mul(2).retainGrad();
    y.registerHook((g) => g.mul(3));
    y.sum().backward();
    expect(numbers(y.grad)).toEqual([3, 3]);
    const plain = leaf([1]).mul(2);
    plain.sum().backward();
    expect(plain.grad).toBeNull();
    expect(() => tensor([1]).retainGrad()).toThrow(/can't retain_grad/);
  });

  it('follows the tensor through a write in place', () => {
    const x = leaf([1, 2]);
    const y = x.mul(2).retainGrad();
    y.mul_(5);
    y.mul(7).sum().backward();
    expect(numbers(y.grad)).toEqual([7, 7]);
    expect(numbers(x.grad)).toEqual([70, 70]);
  });
});

describe('modes', () => {
  it('noGrad, enableGrad and setGradEnabled nest, and survive errors', () => {
    const x = leaf([1]);
    expect(noGrad(() => x.mul(2).requiresGrad)).toBe(false);
    expect(noGrad(() => enableGrad(() => x.mul(2).requiresGrad))).toBe(true);
    expect(() =>
      noGrad(() => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(isGradEnabled()).toBe(true);
    const was = setGradEnabled(false);
    expect([was, x.mul(2).requiresGrad]).toEqual([true, false]);
    setGradEnabled(true);
    expect(() => noGrad(async () => {})).toThrow(/synchronous/);
  });

  it('detach shares memory but no history', () => {
    const x = leaf([1, 2]);
    const y = x.mul(2);
    const d = y.detach();
    expect([d.requiresGrad, d.isLeaf]).toEqual([false, true]);
    d.fill_(7);
    expect(numbers(y)).toEqual([7, 7]);
    y.detach_();
    expect(y.requiresGrad).toBe(false);
  });

  it('inference mode makes tensors that no graph can use', () => {
    const x = leaf([1, 2]);
    const made = inferenceMode(() => x.mul(2));
    expect([made.requiresGrad, made.isInference()]).toEqual([false, true]);
    expect(() => made.requiresGrad_()).toThrow(/inference tensor/);
    expect(() => x.mul(made)).toThrow(/Inference tensors cannot be saved for backward/);
    x.mul(made.clone()).sum().backward();
    expect(numbers(x.grad)).toEqual([2, 4]);
  });

  it('requiresGrad is for floats, and cannot be switched off on results', () => {
    expect(() => arange(3).requiresGrad_()).toThrow(/floating point/);
    expect(() => leaf([1]).mul(2).requiresGrad_(false)).toThrow(/leaf variables/);
    expect(leaf([1]).gt(0).requiresGrad).toBe(false);
  });
});

describe('anomaly mode', () => {
  it('names the forward call of a backward that made a NaN', () => {
    const x = leaf([0]);
    const run = (): void => autograd.detectAnomaly(() => x.mul(0).sqrt().mul(0).sum().backward());
    expect(run).toThrow(/SqrtBackward0.*returned nan values in its 0th output/s);
    expect(run).toThrow(/autograd\.test\.ts/);
    expect(run).toThrow(expect.objectContaining({ code: 'ERR_ANOMALY' }));
    expect(() => x.mul(0).sqrt().mul(0).sum().backward()).not.toThrow();
  });
});

describe('joined tensors', () => {
  it('send each part its gradient', () => {
    const a = leaf([1, 2]);
    const b = leaf([3]);
    cat([a, b, a])
      .mul(tensor([1, 2, 3, 4, 5]))
      .sum()
      .backward();
    expect(numbers(a.grad)).toEqual([5, 7]);
    expect(numbers(b.grad)).toEqual([3]);
  });
});
