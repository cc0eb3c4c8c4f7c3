/** @file A model of strided views on the host: a shape, and for each element in row-major order its place in the base. No strides. */
import type { Index, Tensor } from '../../src/index.js';

export interface Model {
  readonly shape: readonly number[];
  readonly places: readonly number[];
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, s) => n * s, 1);
export const whole = (shape: readonly number[]): Model => ({ shape, places: Array.from({ length: sizeOf(shape) }, (_, i) => i) });

/** Every index of a shape, in row-major order. */
export function indicesOf(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>((all, size) => all.flatMap((lead) => Array.from({ length: size }, (_, i) => [...lead, i])), [[]]);
}
export const flat = (index: readonly number[], shape: readonly number[]): number => index.reduce((n, i, d) => n * shape[d]! + i, 0);

/** A view whose element at `index` is the model's element at `from(index)`. */
export function remap({ shape: old, places }: Model, shape: readonly number[], from: (index: number[]) => readonly number[]): Model {
  return { shape, places: indicesOf(shape).map((index) => places[flat(from(index), old)]!) };
}

/** One step of a chain: numbers that are taken modulo what fits. */
export interface Step {
  readonly kind: string;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

type Applied = readonly [tensor: Tensor, model: Model];
type Rule = (x: Tensor, m: Model, step: Step) => Applied | null;

const without = (list: readonly number[], d: number): number[] => list.filter((_, i) => i !== d);
const put = (list: readonly number[], d: number, v: number): number[] => [...list.slice(0, d), v, ...list.slice(d)];
const changed = (list: readonly number[], d: number, v: number): number[] => list.map((x, i) => (i === d ? v : x));
const at = (list: readonly number[], d: number, f: (v: number) => number): number[] => list.map((v, i) => (i === d ? f(v) : v));

/** A shape with the same number of elements, chosen by `pick`. */
function factored(numel: number, pick: number): number[] {
  if (numel === 0) return [0, 1 + (pick % 2)];
  const shape: number[] = [];
  let rest = numel;
  for (let p = pick; rest > 1 && shape.length < 3; p = Math.floor(p / 3)) {
    const divisors = Array.from({ length: rest }, (_, i) => i + 1).filter((n) => rest % n === 0);
    const size = divisors[p % divisors.length]!;
    shape.push(size);
    rest /= size;
  }
  return rest > 1 ? [...shape, rest] : shape;
}

/** Each rule does the same to a tensor and to its model; null where the shape does not allow it. */
export const RULES: Readonly<Record<string, Rule>> = {
  narrow: (x, m, { a, b, c }) => {
    if (m.shape.length === 0) return null;
    const d = a % m.shape.length;
    const start = b % (m.shape[d]! + 1);
    const length = c % (m.shape[d]! - start + 1);
    return [x.narrow(d, start, length), remap(m, changed(m.shape, d, length), (i) => at(i, d, (v) => v + start))];
  },
  select: (x, m, { a, b }) => {
    const d = a % Math.max(1, m.shape.length);
    if (m.shape.length === 0 || m.shape[d] === 0) return null;
    const i = b % m.shape[d]!;
    return [x.select(d, b % 2 === 0 ? i : i - m.shape[d]!), remap(m, without(m.shape, d), (index) => put(index, d, i))];
  },
  slice: (x, m, { a, b, c }) => {
    if (m.shape.length === 0) return null;
    const d = a % m.shape.length;
    const start = b % (m.shape[d]! + 1);
    const step = 1 + (c % 3);
    const length = Math.ceil((m.shape[d]! - start) / step);
    return [x.slice(d, start, null, step), remap(m, changed(m.shape, d, length), (i) => at(i, d, (v) => start + v * step))];
  },
  transpose: (x, m, { a, b }) => {
    if (m.shape.length === 0) return null;
    const [p, q] = [a % m.shape.length, b % m.shape.length];
    const swap = (list: readonly number[]): number[] => list.map((v, i) => (i === p ? list[q]! : i === q ? list[p]! : v));
    return [x.transpose(p, q - m.shape.length), remap(m, swap(m.shape), swap)];
  },
  permute: (x, m, { a }) => {
    const rank = m.shape.length;
    const order = m.shape.map((_, d) => (d + a) % Math.max(1, rank));
    return [
      x.permute(order),
      remap(
        m,
        order.map((d) => m.shape[d]!),
        (i) => m.shape.map((_, d) => i[order.indexOf(d)]!),
      ),
    ];
  },
  expand: (x, m, { a, b }) => {
    const lead = a % 2 === 0 ? [2] : [];
    const shape = [...lead, ...m.shape.map((s, d) => (s === 1 && (b >> d) % 2 === 1 ? 3 : s))];
    if (sizeOf(shape) > 200 || shape.length > 5) return null;
    return [x.expand(shape), remap(m, shape, (i) => i.slice(lead.length).map((v, d) => (m.shape[d] === 1 ? 0 : v)))];
  },
  unsqueeze: (x, m, { a }) => {
    if (m.shape.length > 4) return null;
    const d = a % (m.shape.length + 1);
    return [x.unsqueeze(d), remap(m, put(m.shape, d, 1), (i) => without(i, d))];
  },
  squeeze: (x, m, { a }) => {
    const d = a % Math.max(1, m.shape.length);
    if (m.shape[d] !== 1) return [m.shape.length === 0 ? x.squeeze() : x.squeeze(d), m];
    return [x.squeeze(d), remap(m, without(m.shape, d), (i) => put(i, d, 0))];
  },
  diagonal: (x, m, { a, b, c }) => {
    if (m.shape.length < 2) return null;
    const p = a % m.shape.length;
    const q = (p + 1 + (b % (m.shape.length - 1))) % m.shape.length;
    const offset = (c % 3) - 1;
    const [down, right] = [Math.max(0, -offset), Math.max(0, offset)];
    const length = Math.max(0, Math.min(m.shape[p]! - down, m.shape[q]! - right));
    const kept = m.shape.map((_, d) => d).filter((d) => d !== p && d !== q);
    const shape = [...kept.map((d) => m.shape[d]!), length];
    const from = (i: number[]): number[] =>
      m.shape.map((_, d) => (d === p ? i.at(-1)! + down : d === q ? i.at(-1)! + right : i[kept.indexOf(d)]!));
    return [x.diagonal(offset, p, q), remap(m, shape, from)];
  },
  unfold: (x, m, { a, b, c }) => {
    const d = a % Math.max(1, m.shape.length);
    if (m.shape.length === 0 || m.shape.length > 4 || m.shape[d]! < 1) return null;
    const size = 1 + (b % m.shape[d]!);
    const step = 1 + (c % 2);
    const count = Math.floor((m.shape[d]! - size) / step) + 1;
    if (sizeOf(m.shape) * size > 400) return null;
    return [
      x.unfold(d, size, step),
      remap(m, [...changed(m.shape, d, count), size], (i) => at(i.slice(0, -1), d, (v) => v * step + i.at(-1)!)),
    ];
  },
  reshape: (x, m, { a }) => {
    const shape = factored(m.places.length, a);
    return [x.reshape(shape), { shape, places: m.places }];
  },
  flip: (x, m, { a }) => {
    if (m.shape.length === 0) return null;
    const d = a % m.shape.length;
    return [x.flip(d), remap(m, m.shape, (i) => at(i, d, (v) => m.shape[d]! - 1 - v))];
  },
  movedim: (x, m, { a, b }) => {
    if (m.shape.length === 0) return null;
    const [p, q] = [a % m.shape.length, b % m.shape.length];
    const order = put(
      without(
        m.shape.map((_, d) => d),
        p,
      ),
      q,
      p,
    );
    return [
      x.movedim(p, q),
      remap(
        m,
        order.map((d) => m.shape[d]!),
        (i) => m.shape.map((_, d) => i[order.indexOf(d)]!),
      ),
    ];
  },
};

/** One dim's part of `x.at(…)`. */
export type Part =
  | { readonly kind: 'number'; readonly at: number }
  | { readonly kind: 'slice'; readonly start: number; readonly stop: number; readonly step: number }
  | { readonly kind: 'entries'; readonly list: readonly number[] };

/** What `x.at(…)` gives, one part for each dim: numbers and slices first; then lists, side by side in place, or in front where a slice parts them. */
export function indexed(m: Model, parts: readonly Part[]): Model {
  const choices = parts.map((part, d): { readonly of: readonly number[]; readonly role: 'gone' | 'kept' | 'list' } => {
    if (part.kind === 'number') return { of: [(part.at + m.shape[d]!) % m.shape[d]!], role: 'gone' };
    if (part.kind === 'entries') return { of: part.list.map((i) => (i + m.shape[d]!) % m.shape[d]!), role: 'list' };
    const all = Array.from({ length: m.shape[d]! }, (_, i) => i).slice(part.start, part.stop);
    return { of: all.filter((_, i) => i % part.step === 0), role: 'kept' };
  });
  const dims = choices.map((_, d) => d).filter((d) => choices[d]!.role !== 'gone');
  const lists = dims.filter((d) => choices[d]!.role === 'list');
  const count = lists.length === 0 ? 0 : choices[lists[0]!]!.of.length;
  const positions = lists.map((d) => dims.indexOf(d));
  const adjacent = positions.every((p, i) => i === 0 || p === positions[i - 1]! + 1);
  // The result's dims: those kept, and one for all lists.
  const order: (number | 'lists')[] = lists.length > 0 && !adjacent ? ['lists'] : [];
  for (const d of dims) {
    if (choices[d]!.role === 'kept') order.push(d);
    else if (adjacent && !order.includes('lists')) order.push('lists');
  }
  const shape = order.map((d) => (d === 'lists' ? count : choices[d]!.of.length));
  return remap(m, shape, (index) =>
    choices.map(({ of, role }, d) => (role === 'gone' ? of[0]! : of[index[order.indexOf(role === 'list' ? 'lists' : d)]!]!)),
  );
}

/** A part as an argument of `at`. */
export function argumentOf(part: Part, form: 'text' | 'object', listOf: (list: readonly number[]) => Index): Index {
  if (part.kind === 'number') return part.at;
  if (part.kind === 'entries') return listOf(part.list);
  const { start, stop, step } = part;
  return form === 'text' ? `${start}:${stop}:${step}` : { start, stop, step };
}
