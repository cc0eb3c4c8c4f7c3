/**
 * @file What a write between forward and backward does: an error where the tape saved what was written to, and the right gradient where it did
 * not. PyTorch: the version counter, Tensor._version.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { grad, noGrad, runtimes, type Tensor, tensor } from '../src/index.js';
import { irregular } from './support/finite-differences.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

const modified = expect.objectContaining({ code: 'ERR_INPLACE_MODIFIED' }) as unknown as Error;
const SHAPE = [2, 3] as const;
const shared = (): Tensor => irregular(SHAPE, 7).detach();

/** Ops by what their backward reads: their inputs, their output, or neither. `y` is a constant. */
const OPS: Readonly<Record<string, { readonly reads: string; readonly fn: (x: Tensor, y: Tensor) => Tensor }>> = {
  mul: { reads: 'x', fn: (x) => x.mul(x) },
  'mul by a constant': { reads: '', fn: (x, y) => x.mul(y) },
  sin: { reads: 'x', fn: (x) => x.sin() },
  square: { reads: 'x', fn: (x) => x.square() },
  pow: { reads: 'x', fn: (x) => x.pow(3) },
  matmul: { reads: 'x', fn: (x) => x.t().matmul(x) },
  exp: { reads: 'o', fn: (x) => x.exp() },
  tanh: { reads: 'o', fn: (x) => x.tanh() },
  sigmoid: { reads: 'o', fn: (x) => x.sigmoid() },
  sqrt: { reads: 'xo', fn: (x) => x.square().add(1).sqrt() },
  softmax: { reads: 'o', fn: (x) => x.softmax(1) },
  add: { reads: '', fn: (x, y) => x.add(y) },
  neg: { reads: '', fn: (x) => x.neg() },
  sum: { reads: '', fn: (x) => x.sum(1) },
  transpose: { reads: '', fn: (x) => x.transpose(0, 1).clone() },
  relu: { reads: 'o', fn: (x) => x.relu() },
};

/** Ways to write to a tensor that others know by another handle. */
const WRITES: Readonly<Record<string, (t: Tensor) => void>> = {
  'in place': (t) => t.add_(1),
  'through a view': (t) => t.select(0, 0).fill_(2),
  'through a view of a view': (t) => t.transpose(0, 1).narrow(0, 0, 1).mul_(3),
  'through a detached handle': (t) => t.detach().zero_(),
  'without recording': (t) => noGrad(() => t.sub_(1)),
  'by an index': (t) => t.setAt_([0], 5),
  'with values of another': (t) => t.copy_(t.mul(0)),
};

describe.each(Object.entries(OPS))('%s', (_name, { reads, fn }) => {
  it.each(Object.entries(WRITES))('its input is written to %s', (_how, write) => {
    const leaf = irregular(SHAPE, 3);
    const x = leaf.mul(1);
    const out = fn(x, shared()).sum();
    write(x);
    if (reads.includes('x')) expect(() => grad(out, [leaf])).toThrow(modified);
    else {
      const [given] = grad(out, [leaf]);
      const [want] = grad(fn(leaf, shared()).sum(), [leaf]);
      expect(given!.toArray()).toEqual(want!.toArray());
    }
  });

  it.each(Object.entries(WRITES).filter(([how]) => how !== 'with values of another'))('its output is written to %s', (_how, write) => {
    const leaf = irregular(SHAPE, 3);
    const out = fn(leaf, shared());
    if (out.ndim < 2) return;
    // What is written is not recorded, so that the op's own node is what the gradient comes from.
    const alias = out.detach();
    const loss = out.sum();
    write(alias);
    if (reads.includes('o')) expect(() => grad(loss, [leaf])).toThrow(modified);
    else expect(grad(loss, [leaf])[0]!.shape).toEqual(SHAPE);
  });
});

it('the message names the versions, and the node that saved the tensor', () => {
  const x = irregular([2], 1).mul(1);
  const y = x.sin();
  x.add_(1).add_(1);
  expect(() => y.sum().backward()).toThrow(/float64 \[2\]\], saved by SinBackward0, is at version 2; expected version 0/);
});

it('a write to another tensor, or to a copy, changes nothing', () => {
  const leaf = irregular(SHAPE, 2);
  const x = leaf.mul(1);
  const y = x.sin().mul(x.clone());
  x.clone().zero_();
  tensor([1]).add_(1);
  expect(() => grad(y.sum(), [leaf])).not.toThrow();
});

it('versions count each write, by any handle on the storage', () => {
  const base = irregular([4, 3], 1).detach();
  const names = Object.keys(WRITES);
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...names), { maxLength: 8 }), (writes) => {
      const x = base.clone();
      const [view, detached] = [x.narrow(0, 1, 2), x.detach()];
      writes.forEach((how, i) => WRITES[how]!([x, view, detached][i % 3]!));
      expect([x.version, view.version, detached.version]).toEqual([writes.length, writes.length, writes.length]);
    }),
    { numRuns: 60 },
  );
});

it('a chain of recorded writes gives the gradient of the same chain without them', () => {
  type Link = readonly [string, (x: Tensor) => Tensor, (x: Tensor) => Tensor];
  const links: readonly Link[] = [
    ['add', (x) => x.add_(0.5), (x) => x.add(0.5)],
    ['mul', (x) => x.mul_(x.detach().mul(0.3)), (x) => x.mul(x.detach().mul(0.3))],
    ['tanh', (x) => x.tanh_(), (x) => x.tanh()],
    ['sigmoid', (x) => x.sigmoid_(), (x) => x.sigmoid()],
    ['square', (x) => x.mul_(x.clone()), (x) => x.mul(x)],
    ['exp', (x) => x.exp_(), (x) => x.exp()],
    ['row', (x) => (x.select(0, 0).mul_(2), x), (x) => x.mul(tensor([[2], [1]], { dtype: 'float64' }))],
    [
      'column',
      (x) => (x.narrow(1, 1, 2).tanh_(), x),
      (x) => x.mul(tensor([1, 0, 0], { dtype: 'float64' })).add(x.tanh().mul(tensor([0, 1, 1], { dtype: 'float64' }))),
    ],
    [
      'fill',
      (x) => (x.at(':', 0).fill_(3), x),
      (x) => x.mul(tensor([0, 1, 1], { dtype: 'float64' })).add(tensor([3, 0, 0], { dtype: 'float64' })),
    ],
  ];
  fc.assert(
    fc.property(fc.array(fc.nat(links.length - 1), { minLength: 1, maxLength: 6 }), (chain) => {
      const results = [1, 2].map((form) => {
        const leaf = irregular(SHAPE, 5);
        let x = leaf.mul(0.2);
        for (const i of chain) x = links[i]![form as 1 | 2](x);
        const loss = x.mul(irregular(SHAPE, 8).detach()).sum();
        return [...x.detach().data(), ...grad(loss, [leaf])[0]!.data()];
      });
      // exp of exp of exp leaves the numbers: what is Infinity times 0 there is no question of writes.
      fc.pre(results[1]!.every((v) => Math.abs(v) < 1e4));
      results[0]!.forEach((v, i) => expect(v, chain.map((k) => links[k]![0]).join(' ')).toBeCloseTo(results[1]![i]!, 9));
    }),
    { numRuns: 200 },
  );
});
