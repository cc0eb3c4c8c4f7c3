/** @file Derivatives of functions, modules as functions, vmap: PyTorch's torch.func and torch.autograd.functional. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { autograd, F, func, manualSeed, nn, noGrad, ones, rand, randn, tensor, type Tensor, zeros } from '../src/index.js';

type Numbers = number | readonly Numbers[];
interface Fixture {
  readonly [name: string]: unknown;
  readonly x: number[];
  readonly v: number[];
  readonly w: number[][];
  readonly jacrev2: number[][][][];
  readonly model: Record<string, number[]>;
  readonly data: number[][];
  readonly target: number[];
  readonly perSample: Record<string, Numbers>;
}
const torch = JSON.parse(readFileSync(new URL('./fixtures/func/func.json', import.meta.url), 'utf8')) as Fixture;
const f64 = (data: unknown): Tensor => tensor(data as number[], { dtype: 'float64' });
const code = (name: string): Error => expect.objectContaining({ code: name }) as Error;

/** Equal to 12 digits. */
function expectNear(got: unknown, want: unknown): void {
  const t = got as Tensor;
  const expected = f64(want);
  expect(t.shape).toEqual(expected.shape);
  const numbers = expected.flatten().data();
  t.flatten()
    .data()
    .forEach((x, i) => expect(x).toBeCloseTo(numbers[i]!, 11));
}

beforeEach(() => void manualSeed(0));

const x = f64(torch.x);
const v = f64(torch.v);
const w = f64(torch.w);
const scalar = (z: Tensor): Tensor => z.sin().mul(z.pow(2)).sum();
const vector = (z: Tensor): Tensor =>
  w
    .matmul(z)
    .tanh()
    .mul(z.narrow(0, 0, 3).exp());
const two = (a: Tensor, b: Tensor): [Tensor, Tensor] => [a.mul(b).sin(), a.sum().mul(b)];

describe('transforms give PyTorch’s numbers', () => {
  it('grad, also of a grad', () => {
    expectNear(func.grad(scalar)(x), torch['grad']);
    expectNear(func.grad((z: Tensor) => func.grad(scalar)(z).pow(2).sum())(x), torch['gradgrad']);
  });
  it('jacrev and jacfwd', () => {
    expectNear(func.jacrev(vector)(x), torch['jacrev']);
    expectNear(func.jacfwd(vector)(x), torch['jacfwd']);
  });
  it('hessian', () => expectNear(func.hessian(scalar)(x), torch['hessian']));
  it('vjp and jvp', () => {
    const [y, pull] = func.vjp(vector, [x]);
    expectNear(y, vector(x).toArray());
    expectNear(pull(v.narrow(0, 0, 3))[0], torch['vjp']);
    // It may be called again.
    expectNear(pull(v.narrow(0, 0, 3))[0], torch['vjp']);
    expectNear(func.jvp(vector, [x], [v])[1], torch['jvp']);
  });
  it('several outputs and arguments', () => {
    const rows = func.jacrev(two, { argnums: [0, 1] })(x, v) as Tensor[][];
    torch.jacrev2.forEach((row, i) => row.forEach((want, j) => expectNear(rows[i]![j], want)));
    const columns = func.jacfwd(two, { argnums: [0, 1] })(x, v) as Tensor[][];
    torch.jacrev2.forEach((row, i) => row.forEach((want, j) => expectNear(columns[i]![j], want)));
  });
  it('autograd.functional.hvp and vhp', () => {
    expectNear(autograd.functional.hvp(scalar, x, v)[1], torch['hvp']);
    expectNear(autograd.functional.vhp(scalar, x, v)[1], torch['vhp']);
  });
});

describe('what transforms keep to', () => {
  it('results are cut off from the tape, but where the caller differentiates too', () => {
    expect(func.grad(scalar)(x).requiresGrad).toBe(false);
    const own = x.detach().requiresGrad_();
    const g = func.grad(scalar)(own);
    expect(g.requiresGrad).toBe(true);
    expect(noGrad(() => func.grad(scalar)(own)).requiresGrad).toBe(false);
    g.pow(2).sum().backward();
    expectNear(own.grad, torch['gradgrad']);
  });
  it('a parameter that the function closes over gets its gradient', () => {
    const p = ones([4], { dtype: 'float64' }).requiresGrad_();
    func
      .grad((z: Tensor) => z.pow(2).mul(p).sum())(x)
      .sum()
      .backward();
    expectNear(p.grad, x.mul(2).toArray());
  });
  it('value and aux', () => {
    const f = (z: Tensor): [Tensor, string] => [scalar(z), 'seen'];
    const [g, [value, aux]] = func.gradAndValue(f, { hasAux: true })(x);
    expectNear(g, torch['grad']);
    expectNear(value, scalar(x).item());
    expect(aux).toBe('seen');
    expect(func.grad(f, { hasAux: true })(x)[1]).toBe('seen');
  });
  it('trees of tensors', () => {
    const g = func.grad((p: { a: Tensor; b: Tensor[] }) => p.a.mul(p.b[0]!).sum())({ a: x, b: [v] });
    expectNear(g.a, torch.v);
    expectNear(g.b[0], torch.x);
  });
  it('an argument that the output does not depend on has gradient 0', () => {
    expectNear(func.grad((a: Tensor, _b: Tensor) => a.sum(), { argnums: 1 })(x, v), [0, 0, 0, 0]);
    expectNear(func.jvp(() => ones([2], { dtype: 'float64' }), [x], [v])[1], [0, 0]);
  });
  it('errors', () => {
    expect(() => func.grad(vector)(x)).toThrow(code('ERR_GRAD_NOT_SCALAR'));
    expect(() => func.grad(scalar, { argnums: 3 })(x)).toThrow(code('ERR_ARGNUMS'));
    expect(() => func.grad((z: Tensor) => z.sum())(tensor([1, 2], { dtype: 'int32' }))).toThrow(code('ERR_REQUIRES_GRAD_DTYPE'));
    expect(() => func.grad(scalar, { hasAux: true })(x)).toThrow(code('ERR_AUX'));
    expect(() => func.vjp(vector, [x])[1]([v, v])).toThrow(code('ERR_TREE'));
    expect(() => func.jvp(vector, [x], [ones([2])])).toThrow(code('ERR_GRAD_SHAPE'));
  });
});

describe('functionalCall', () => {
  const model = (): nn.Sequential => new nn.Sequential(new nn.Linear(4, 3), new nn.Tanh(), new nn.Linear(3, 2)).double() as nn.Sequential;
  const params = new Map(Object.entries(torch.model).map(([name, data]) => [name, f64(data)]));

  it('per-sample gradients as vmap(grad(loss)) of PyTorch', () => {
    const net = model();
    const loss = (p: Map<string, Tensor>, one: Tensor, label: Tensor): Tensor =>
      F.crossEntropy(func.functionalCall(net, p, [one.unsqueeze(0)]), label.unsqueeze(0));
    const grads = func.vmap(func.grad(loss), { inDims: [null, 0, 0] })(
      params,
      f64(torch.data),
      tensor(torch.target, { dtype: 'int32' }),
    ) as Map<string, Tensor>;
    for (const [name, want] of Object.entries(torch.perSample)) expectNear(grads.get(name), want);
  });

  it('puts the module’s own tensors back, also after an error', () => {
    const net = model();
    const before = net.parameters();
    func.functionalCall(net, params, [f64(torch.data)]);
    expect(() => func.functionalCall(net, params, [rand([2, 9])])).toThrow(code('ERR_DTYPE_MIX'));
    expect(net.parameters().every((p, i) => p === before[i])).toBe(true);
    expect([...net.stateDict().keys()]).toEqual([...params.keys()]);
  });

  it('tied weights are replaced together, buffers are too', () => {
    class Tied extends nn.Module {
      a = new nn.Linear(2, 2, { bias: false });
      b = new nn.Linear(2, 2, { bias: false });
      norm = new nn.BatchNorm1d(2);
      constructor() {
        super();
        this.b.weight = this.a.weight;
      }
      forward(t: Tensor): Tensor {
        return this.norm(this.b(this.a(t)));
      }
    }
    const net = new Tied().eval();
    const twice = tensor([
      [2, 0],
      [0, 2],
    ]);
    const run = (options = {}): unknown =>
      func
        .functionalCall(net, [{ 'a.weight': twice }, { 'norm.running_var': tensor([4, 4]) }], [ones([1, 2])], options)
        .round({ decimals: 3 })
        .toArray();
    expect(run()).toEqual([[2, 2]]);
    expect(run({ tieWeights: false })).not.toEqual([[2, 2]]);
    expect(() => run({ strict: true })).toThrow(code('ERR_STATE_DICT'));
    expect(() => func.functionalCall(net, { 'norm.runningVar': tensor([4, 4]) }, [ones([1, 2])])).toThrow(code('ERR_NO_MEMBER'));
    expect(net.norm.runningVar!.toArray()).toEqual([1, 1]);
  });

  it('an async forward has them until it ends', async () => {
    class Later extends nn.Module {
      weight = new nn.Parameter(ones([1]));
      async forward(t: Tensor): Promise<Tensor> {
        await Promise.resolve();
        return t.mul(this.weight);
      }
    }
    const net = new Later();
    const own = net.weight;
    expect((await func.functionalCall(net, { weight: tensor([3]) }, [tensor([2])])).item()).toBe(6);
    expect(net.weight).toBe(own);
  });

  it('an ensemble', () => {
    const models = [model(), model(), model()];
    const [stacked, buffers] = func.stackModuleState(models);
    const input = f64(torch.data);
    const ys = func.vmap((p: Map<string, Tensor>, b: Map<string, Tensor>) => func.functionalCall(models[0]!, [p, b], [input]) as Tensor)(
      stacked,
      buffers,
    );
    expectNear(
      ys,
      models.map((m) => (m(input) as Tensor).toArray()),
    );
    expect(stacked.get('0.weight')!.requiresGrad).toBe(true);
  });
});

describe('vmap', () => {
  it('maps over any dim, and puts the batch where it is asked to', () => {
    const a = randn([3, 5]);
    const b = randn([5, 3]);
    expectNear(
      func
        .vmap((p: Tensor, q: Tensor) => p.dot(q), { inDims: [0, 1] })(a, b)
        .to('float64'),
      a.mul(b.t()).sum(1).toArray(),
    );
    expect(func.vmap((p: Tensor) => p.unsqueeze(0), { outDims: 2 })(a).shape).toEqual([1, 5, 3]);
  });
  it('nests, and branches on values', () => {
    const a = randn([3, 4]);
    const relu = func.vmap(func.vmap((p: Tensor) => (p.item() > 0 ? p : p.sub(p))));
    expect(relu(a).toArray()).toEqual(a.relu().toArray());
  });
  it('is differentiable', () => {
    const a = randn([3, 4]).requiresGrad_();
    func
      .vmap((p: Tensor) => p.pow(2).sum())(a)
      .sum()
      .backward();
    expect(a.grad!.toArray()).toEqual(a.detach().mul(2).toArray());
  });
  it('random numbers differ, or are the same', () => {
    const a = zeros([2, 3]);
    const draw = (p: Tensor): Tensor => p.add(rand([3]));
    const [one, other] = func.vmap(draw)(a).toArray() as number[][];
    expect(one).not.toEqual(other);
    const [first, second] = func.vmap(draw, { randomness: 'same' })(a).toArray() as number[][];
    expect(first).toEqual(second);
  });
  it('errors', () => {
    const f = (p: Tensor, q: Tensor): Tensor => p.add(q);
    expect(() => func.vmap(f)(ones([2]), ones([3]))).toThrow(code('ERR_BATCH_SIZE'));
    expect(() => func.vmap(f, { inDims: null })(ones([2]), ones([2]))).toThrow(code('ERR_IN_DIMS'));
    expect(() => func.vmap(f, { inDims: [0] })(ones([2]), ones([2]))).toThrow(code('ERR_IN_DIMS'));
    expect(() => func.vmap(f)(ones([0]), ones([0]))).toThrow(code('ERR_BATCH_SIZE'));
    expect(() => func.vmap((_: Tensor) => 3)(ones([2]))).toThrow(code('ERR_OUT_DIMS'));
  });
});
