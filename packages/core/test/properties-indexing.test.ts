/** @file x.at(…) and x.setAt_(…) with numbers, slices, lists and masks, on views, against the model of `support/view-model.ts`. */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { arange, type Index, runtimes, type Tensor, tensor } from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';
import { argumentOf, indexed, type Model, type Part, RULES, sizeOf, type Step, whole } from './support/view-model.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

interface Case {
  readonly shape: readonly number[];
  /** What is done to the base before it is indexed. */
  readonly steps: readonly Step[];
  readonly seeds: readonly { readonly kind: number; readonly a: number; readonly b: number; readonly c: number }[];
  /** How many entries the lists have. */
  readonly count: number;
  readonly text: boolean;
  /** Lists as tensors, arrays or masks. */
  readonly lists: 'tensor' | 'array' | 'mask';
  /** Where '...' stands for whole dims at the end. */
  readonly cut: boolean;
}

const nat = fc.nat(1000);
const cases: fc.Arbitrary<Case> = fc.record({
  shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
  steps: fc.array(fc.record({ kind: fc.constantFrom('transpose', 'slice', 'permute', 'unsqueeze'), a: nat, b: nat, c: nat }), {
    maxLength: 2,
  }),
  seeds: fc.array(fc.record({ kind: nat, a: nat, b: nat, c: nat }), { minLength: 5, maxLength: 5 }),
  count: fc.constantFrom(1, 2, 3),
  text: fc.boolean(),
  lists: fc.constantFrom('tensor', 'array', 'mask'),
  cut: fc.boolean(),
});

/** The view that is indexed, its model, and one part for each of its dims. */
function build({ shape, steps, seeds, count, lists }: Case, base: Tensor): { view: Tensor; model: Model; parts: Part[] } {
  let view = base;
  let model = whole(shape);
  for (const s of steps) {
    const next = RULES[s.kind]!(view, model, s);
    if (next !== null && next[1].places.length > 0) [view, model] = next;
  }
  const parts = model.shape.map((size, d): Part => {
    const { kind, a, b, c } = seeds[d % seeds.length]!;
    if (kind % 3 === 0) return { kind: 'number', at: b % 2 === 0 ? a % size : (a % size) - size };
    if (kind % 3 === 1 && size >= count) {
      // Different entries, so that what is written does not depend on the order.
      const from = Array.from({ length: size }, (_, i) => i);
      const list = Array.from({ length: count }, (_, i) => from.splice((a + i * b) % from.length, 1)[0]!);
      return { kind: 'entries', list: lists === 'mask' ? list.sort((x, y) => x - y) : list.map((i) => (c % 2 === 0 ? i : i - size)) };
    }
    const start = a % (size + 1);
    return { kind: 'slice', start, stop: start + (b % (size - start + 1)), step: 1 + (c % 2) };
  });
  return { view, model, parts };
}

function argumentsOf({ text, lists, cut }: Case, model: Model, parts: readonly Part[]): Index[] {
  const all = parts.map((part, d) =>
    argumentOf(part, text ? 'text' : 'object', (list) => {
      if (lists === 'array') return list;
      if (lists === 'tensor') return tensor([...list], { dtype: 'int32' });
      return tensor(Array.from({ length: model.shape[d]! }, (_, i) => list.includes(i)));
    }),
  );
  const last = parts.at(-1);
  const whole = last?.kind === 'slice' && last.start === 0 && last.stop === model.shape.at(-1) && last.step === 1;
  return cut && whole ? [...all.slice(0, -1), '...'] : all;
}

it('reading gives the elements that the model names, as a view where no list is given', () => {
  fc.assert(
    fc.property(cases, (c) => {
      const base = arange(sizeOf(c.shape)).reshape(c.shape).clone();
      const { view, model, parts } = build(c, base);
      const got = view.at(...argumentsOf(c, model, parts));
      const want = indexed(model, parts);
      expect(got.shape).toEqual(want.shape);
      expect([...got.data()]).toEqual(want.places);
      expect(got.storage === base.storage).toBe(parts.every((part) => part.kind !== 'entries'));
    }),
    { numRuns: 600 },
  );
});

it('assignment through a view writes those elements of the base, and no others', () => {
  fc.assert(
    fc.property(cases, fc.constantFrom('number', 'tensor', 'broadcast'), (c, how) => {
      const base = arange(sizeOf(c.shape)).reshape(c.shape).clone();
      const { view, model, parts } = build(c, base);
      const { shape, places } = indexed(model, parts);
      const values = [...base.data()];
      const source =
        how === 'number'
          ? -7
          : how === 'tensor'
            ? arange(places.length).add(100).reshape(shape)
            : arange(shape.at(-1) ?? 1)
                .add(100)
                .reshape(shape.length === 0 ? [] : [shape.at(-1)!]);
      view.setAt_(argumentsOf(c, model, parts), source);
      const width = Math.max(1, shape.at(-1) ?? 1);
      places.forEach((p, i) => (values[p] = how === 'number' ? -7 : 100 + (how === 'tensor' ? i : i % width)));
      expect([...base.data()]).toEqual(values);
    }),
    { numRuns: 600 },
  );
});

it('gradients come back to the elements that were read, as often as they were', () => {
  fc.assert(
    fc.property(cases, (c) => {
      const leaf = arange(sizeOf(c.shape), { dtype: 'float32' }).reshape(c.shape).clone().requiresGrad_();
      const { view, model, parts } = build(c, leaf);
      const { shape, places } = indexed(model, parts);
      const expected = new Array<number>(sizeOf(c.shape)).fill(0);
      places.forEach((p, i) => (expected[p]! += i + 1));
      view
        .at(...argumentsOf(c, model, parts))
        .mul(arange(places.length, { dtype: 'float32' }).add(1).reshape(shape))
        .sum()
        .backward();
      expect([...leaf.grad!.data()]).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

it('a mask of all dims picks in row-major order, and is written to by a number, a list, and a mask of its own', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }), fc.nat(2 ** 30), (shape, bits) => {
      const numel = sizeOf(shape);
      const on = Array.from({ length: numel }, (_, i) => ((bits >> (i % 30)) & 1) === 1);
      const chosen = on.flatMap((b, i) => (b ? [i] : []));
      const mask = tensor(on).reshape(shape);
      const x = arange(numel).reshape(shape).clone();
      expect([...x.at(mask).data()]).toEqual(chosen);
      x.setAt_(mask, -1);
      expect([...x.data()]).toEqual(on.map((b, i) => (b ? -1 : i)));
      x.setAt_([mask], arange(chosen.length).add(50));
      expect([...x.data()]).toEqual(on.map((b, i) => (b ? 50 + chosen.indexOf(i) : i)));
    }),
    { numRuns: 150 },
  );
});
