/** @file Broadcasting: shapes, elements, gradients and refusals, against NumPy's rule written out. */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { arange, broadcastShapes, grad, runtimes, type Tensor, where } from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';
import { flat, indicesOf, sizeOf } from './support/view-model.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

type Shape = readonly number[];

/** Align at the end; sizes must be equal, or one of them 1. */
function met(a: Shape, b: Shape): Shape | null {
  const rank = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let d = 0; d < rank; d++) {
    const x = a[d - rank + a.length] ?? 1;
    const y = b[d - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return null;
    out.push(x === 1 ? y : x);
  }
  return out;
}

/** Where element `index` of the common shape comes from in a tensor of `shape`. */
const source = (index: Shape, shape: Shape): number =>
  flat(
    shape.map((s, d) => (s === 1 ? 0 : index[d + index.length - shape.length]!)),
    shape,
  );

const anyShape = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 });
/** Shapes that broadcast: one, and others with some of its sizes made 1 and some leading ones left out. */
const related = (count: number): fc.Arbitrary<Shape[]> =>
  fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }).chain((shape) =>
    fc.array(
      fc
        .tuple(fc.integer({ min: 0, max: shape.length }), fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }))
        .map(([from, one]) => shape.map((s, d) => (one[d]! ? 1 : s)).slice(from)),
      { minLength: count, maxLength: count },
    ),
  );
const numbers = (shape: Shape, from: number): Tensor => arange(sizeOf(shape), { dtype: 'float32' }).add(from).reshape(shape).clone();

it('shapes meet by the rule, in either order, or are refused with ERR_BROADCAST', () => {
  fc.assert(
    fc.property(anyShape, anyShape, (a, b) => {
      const want = met(a, b);
      if (want !== null) {
        expect(broadcastShapes(a, b, 'test')).toEqual(want);
        expect(broadcastShapes(b, a, 'test')).toEqual(want);
        expect(numbers(a, 0).add(numbers(b, 0)).shape).toEqual(want);
      } else {
        const refused = expect.objectContaining({ code: 'ERR_BROADCAST' }) as unknown as Error;
        expect(() => broadcastShapes(a, b, 'test')).toThrow(refused);
        expect(() => numbers(a, 0).add(numbers(b, 0))).toThrow(refused);
      }
    }),
    { numRuns: 500 },
  );
});

it('elements meet by the rule, whatever the layout, and gradients are summed back', () => {
  fc.assert(
    fc.property(related(3), fc.boolean(), (shapes, turned) => {
      const [a, b, c] = shapes as [Shape, Shape, Shape];
      const leaves = [numbers(a, 1), numbers(b, 100), numbers(c, 1000)].map((t) => t.requiresGrad_());
      // The same numbers, read backward through memory.
      const [x, y, z] = leaves.map((t) =>
        turned
          ? t
              .permute(t.shape.map((_, d) => t.ndim - 1 - d))
              .contiguous()
              .permute(t.shape.map((_, d) => t.ndim - 1 - d))
          : t,
      ) as [Tensor, Tensor, Tensor];
      const out = x.mul(y).sub(z);
      const shape = met(met(a, b)!, c)!;
      const places = indicesOf(shape);
      expect(out.shape).toEqual(shape);
      expect([...out.data()]).toEqual(places.map((i) => (source(i, a) + 1) * (source(i, b) + 100) - (source(i, c) + 1000)));
      const grads = grad(out.sum(), leaves);
      const summed = (of: Shape, term: (i: Shape) => number): number[] => {
        const sums = new Array<number>(sizeOf(of)).fill(0);
        for (const i of places) sums[source(i, of)]! += term(i);
        return sums;
      };
      expect([...grads[0]!.data()]).toEqual(summed(a, (i) => source(i, b) + 100));
      expect([...grads[1]!.data()]).toEqual(summed(b, (i) => source(i, a) + 1));
      expect([...grads[2]!.data()].map((v) => v + 0)).toEqual(summed(c, () => -1));
      expect(grads.map((g) => g!.shape)).toEqual(shapes);
    }),
    { numRuns: 300 },
  );
});

it('where broadcasts three, and an in-place op never grows its tensor', () => {
  fc.assert(
    fc.property(related(3), (shapes) => {
      const [a, b, c] = shapes as [Shape, Shape, Shape];
      const condition = numbers(c, 0).remainder(2).eq(0);
      const [x, y] = [numbers(a, 1), numbers(b, -100)];
      const shape = met(met(a, b)!, c)!;
      const out = where(condition, x, y);
      expect(out.shape).toEqual(shape);
      expect([...out.data()]).toEqual(indicesOf(shape).map((i) => (source(i, c) % 2 === 0 ? source(i, a) + 1 : source(i, b) - 100)));
      const both = met(a, b)!;
      const before = [...x.data()];
      if (both.length === a.length && both.every((s, d) => s === a[d])) {
        x.add_(y);
        expect([...x.data()]).toEqual(indicesOf(a).map((i, k) => before[k]! + source(i, b) - 100));
      } else {
        expect(() => x.add_(y)).toThrow(expect.objectContaining({ code: 'ERR_INPLACE_SHAPE' }));
        expect([...x.data()]).toEqual(before);
        expect(x.version).toBe(0);
      }
    }),
    { numRuns: 300 },
  );
});
