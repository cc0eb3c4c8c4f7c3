/** @file Random views of a tensor, and what is then done to them. */
import { type Device, Generator, noGrad, tensor, type Tensor } from '@tessera/core';
import type * as FastCheck from 'fast-check';
import { firstDifference, NUDGE } from './closeness.js';
import type { Kind } from './kind.js';

const VIEWS = ['transpose', 'narrow', 'step', 'flip', 'unsqueeze', 'expand', 'select', 'reshape', 'roll'] as const;
const ENDS = ['copy', 'sum', 'max', 'cumsum', 'matmul', 'softmax', 'argmax', 'sort', 'fill'] as const;

interface ViewCase {
  readonly shape: readonly number[];
  readonly views: readonly { readonly view: (typeof VIEWS)[number]; readonly a: number; readonly b: number }[];
  readonly end: (typeof ENDS)[number];
  readonly dim: number;
  readonly seed: number;
}

function view(x: Tensor, { view: name, a, b }: ViewCase['views'][number]): Tensor {
  if (x.ndim === 0) return name === 'unsqueeze' ? x.unsqueeze(0) : x;
  const dim = a % x.ndim;
  const size = x.shape[dim];
  const start = b % size;
  switch (name) {
    case 'transpose':
      return x.transpose(dim, b % x.ndim);
    case 'narrow':
      return x.narrow(dim, start, size - start);
    case 'step':
      return x.at(...x.shape.map((_, d) => (d === dim ? `${start}::2` : ':')));
    case 'flip':
      return x.flip(dim);
    case 'unsqueeze':
      return x.ndim < 4 ? x.unsqueeze(dim) : x;
    case 'expand':
      return size === 1 ? x.expand(x.shape.map((n, d) => (d === dim ? 3 : n))) : x;
    case 'select':
      return x.ndim > 1 ? x.select(dim, start) : x;
    case 'reshape':
      return x.reshape(-1);
    case 'roll':
      return x.roll(start, dim);
  }
}

function end(x: Tensor, { end: name, dim }: ViewCase): Tensor[] {
  const axis = x.ndim === 0 ? 0 : dim % x.ndim;
  switch (name) {
    case 'copy':
      return [x.mul(1)];
    case 'sum':
      return [x.ndim === 0 ? x.sum() : x.sum(axis)];
    case 'max':
      return [x.ndim === 0 ? x.max() : x.amax(axis)];
    case 'cumsum':
      return [x.ndim === 0 ? x.mul(2) : x.cumsum(axis)];
    case 'matmul': {
      const rows = x.reshape(-1, x.ndim === 0 ? 1 : x.shape.at(-1)!);
      return [rows.matmul(rows.transpose(0, 1))];
    }
    case 'softmax':
      return [x.ndim === 0 ? x.exp() : x.softmax(axis)];
    case 'argmax':
      return [x.ndim === 0 ? x.argmax() : x.argmax(axis)];
    case 'sort':
      return x.ndim === 0 ? [x] : [...x.sort(axis)];
    case 'fill': {
      // Written in place through the views.
      const copy = x.clone();
      (copy.ndim === 0 ? copy : copy.transpose(0, axis)).mul_(3).add_(1);
      return [copy];
    }
  }
}

async function run(device: Device, one: ViewCase, nudge = 0): Promise<number[][]> {
  const values = new Generator(one.seed).uniform(new Float32Array(one.shape.reduce((a, b) => a * b, 1)), -2, 2);
  const results = noGrad(() => {
    let x = tensor(
      values.map((u) => u * (1 + nudge)),
      { device },
    ).reshape(one.shape);
    for (const step of one.views) x = view(x, step);
    return end(x, one);
  });
  const read: number[][] = [];
  for (const result of results) read.push(Array.from(await result.dataAsync(), Number));
  return read;
}

export const views: Kind<ViewCase> = {
  name: 'views',
  arbitrary: (fc: typeof FastCheck) =>
    fc.record({
      shape: fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constantFrom(17, 33)), { minLength: 1, maxLength: 3 }),
      views: fc.array(fc.record({ view: fc.constantFrom(...VIEWS), a: fc.nat(9), b: fc.nat(9) }), { maxLength: 5 }),
      end: fc.constantFrom(...ENDS),
      dim: fc.nat(9),
      seed: fc.nat(999),
    }),
  async difference({ mine, theirs }, one) {
    const ours = await run(mine, one);
    const others = await run(theirs, one);
    const nudged = [await run(mine, one, NUDGE), await run(mine, one, -NUDGE)];
    for (let i = 0; i < ours.length; i++) {
      const exact = one.end === 'argmax' || (one.end === 'sort' && i === 1) || one.end === 'max';
      const found = firstDifference(
        ours[i],
        others[i],
        nudged.map((all) => all[i]),
        exact,
      );
      if (found !== null) return { ...found, what: `result ${i}` };
    }
    return null;
  },
  describe: (one) => [
    `x = uniform numbers from ${one.seed}, (${one.shape.join('x')})`,
    ...one.views.map(({ view: name, a, b }) => `x = ${name}(x), ${a} and ${b} modulo its sizes`),
    `${one.end} along dim ${one.dim} modulo its dims`,
  ],
};
