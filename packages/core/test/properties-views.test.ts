/** @file Random chains of views against a model without strides: what they show, what a write through them changes, where gradients go. */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { arange, runtimes, type Tensor, tensor } from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';
import { indicesOf, type Model, RULES, sizeOf, type Step, whole } from './support/view-model.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

const shapes = fc
  .array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 })
  .map((s) => (s.filter((n) => n === 0).length > 1 ? s.map((n) => n || 2) : s));
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...Object.keys(RULES)),
  a: fc.nat(1000),
  b: fc.nat(1000),
  c: fc.nat(1000),
});
const chains = fc.tuple(shapes, fc.array(step, { maxLength: 6 }));

function follow(base: Tensor, steps: readonly Step[]): { view: Tensor; model: Model } {
  let view = base;
  let model = whole(base.shape);
  for (const s of steps) {
    const next = RULES[s.kind]!(view, model, s);
    if (next !== null) [view, model] = next;
  }
  return { view, model };
}

/** Does the view show some element of its storage twice? */
function overlaps(view: Tensor): boolean {
  const strides = view.stride();
  const places = indicesOf(view.shape).map((index) => index.reduce((n, i, d) => n + i * strides[d]!, 0));
  return new Set(places).size < places.length;
}

it('a chain of views shows what the model says', () => {
  fc.assert(
    fc.property(chains, ([shape, steps]) => {
      const { view, model } = follow(arange(sizeOf(shape)).reshape(shape), steps);
      expect(view.shape).toEqual(model.shape);
      expect([...view.data()]).toEqual(model.places);
    }),
    { numRuns: 600 },
  );
});

it('a write through a view changes the base there, and nowhere else', () => {
  fc.assert(
    fc.property(chains, fc.constantFrom('add_', 'fill_', 'copy_'), ([shape, steps], how) => {
      const numel = sizeOf(shape);
      const base = arange(numel).reshape(shape).clone();
      const { view, model } = follow(base, steps);
      const values = [...base.data()];
      const shared = view.storage === base.storage;
      if (overlaps(view)) {
        expect(() => view.add_(1)).toThrow(expect.objectContaining({ code: 'ERR_INPLACE_OVERLAP' }));
        expect([...base.data()]).toEqual(values);
        return;
      }
      const { version } = base;
      if (how === 'add_') view.add_(100);
      else if (how === 'fill_') view.fill_(-1);
      else view.copy_(arange(model.places.length).add(1000).reshape(model.shape));
      if (shared) {
        expect(base.version).toBe(version + 1);
        model.places.forEach((p, i) => (values[p] = how === 'add_' ? p + 100 : how === 'fill_' ? -1 : 1000 + i));
      }
      expect([...base.data()]).toEqual(values);
    }),
    { numRuns: 600 },
  );
});

it('the gradient of a chain of views adds up at the places that it shows', () => {
  fc.assert(
    fc.property(chains, ([shape, steps]) => {
      const base = arange(sizeOf(shape), { dtype: 'float32' }).reshape(shape).clone().requiresGrad_();
      const { view, model } = follow(base, steps);
      const weights = model.places.map((_, i) => i + 1);
      const expected = new Array<number>(sizeOf(shape)).fill(0);
      model.places.forEach((p, i) => (expected[p]! += weights[i]!));
      view
        .mul(tensor(weights, { dtype: 'float32' }).reshape(model.shape))
        .sum()
        .backward();
      expect([...base.grad!.data()]).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

it('a recorded write through a chain of views cuts the old gradient there, and sends it to what was written', () => {
  fc.assert(
    fc.property(chains, ([shape, steps]) => {
      const leaf = arange(sizeOf(shape), { dtype: 'float32' }).reshape(shape).clone().requiresGrad_();
      const base = leaf.mul(2);
      const { view, model } = follow(base, steps);
      if (view.storage !== base.storage || overlaps(view)) return;
      const source = arange(model.places.length, { dtype: 'float32' }).reshape(model.shape).clone().requiresGrad_();
      view.copy_(source);
      const weights = Array.from({ length: sizeOf(shape) }, (_, i) => i + 1);
      base
        .mul(tensor(weights, { dtype: 'float32' }).reshape(shape))
        .sum()
        .backward();
      const hidden = new Set(model.places);
      // Where all of it was written over, nothing is left of the way to the leaf.
      const left = leaf.grad === null ? weights.map(() => 0) : [...leaf.grad.data()];
      expect(left).toEqual(weights.map((w, i) => (hidden.has(i) ? 0 : 2 * w)));
      expect([...source.grad!.data()]).toEqual(model.places.map((p) => weights[p]));
    }),
    { numRuns: 300 },
  );
});
