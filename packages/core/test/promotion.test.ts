/** @file Type promotion, whole: every dtype with every other, as tensor, as 0-d tensor and as number. PyTorch: torch.result_type, torch.promote_types. */
import { beforeAll, describe, expect, it } from 'vitest';
import { cat, type DType, DTYPES, promoteTypes, resultType, runtimes, type Tensor, tensor, where } from '../src/index.js';
import { plainPlugin } from './support/plain-backend.js';

beforeAll(() => {
  runtimes.current.use(plainPlugin());
});

const NAMES = { bool: 'bool', u8: 'uint8', i32: 'int32', f16: 'float16', bf16: 'bfloat16', f32: 'float32', f64: 'float64' } as const;
type Short = keyof typeof NAMES;

function table(text: string): Map<string, DType> {
  const [head, ...rows] = text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const found = new Map<string, DType>();
  for (const [left, ...cells] of rows)
    cells.forEach((cell, i) => found.set(`${NAMES[left as Short]} ${NAMES[head![i] as Short] ?? head![i]}`, NAMES[cell as Short]));
  return found;
}

/** Two tensors with dims, or two without. torch.promote_types, with int64 as int32. */
const ALIKE = table(`
        bool  u8    i32   f16   bf16  f32   f64
  bool  bool  u8    i32   f16   bf16  f32   f64
  u8    u8    u8    i32   f16   bf16  f32   f64
  i32   i32   i32   i32   f16   bf16  f32   f64
  f16   f16   f16   f16   f16   f32   f32   f64
  bf16  bf16  bf16  bf16  f32   bf16  f32   f64
  f32   f32   f32   f32   f32   f32   f32   f64
  f64   f64   f64   f64   f64   f64   f64   f64`);

/** A tensor with dims (rows) and one without (columns): the latter counts only where its category is above. */
const BESIDE_SCALAR = table(`
        bool  u8    i32   f16   bf16  f32   f64
  bool  bool  u8    i32   f16   bf16  f32   f64
  u8    u8    u8    u8    f16   bf16  f32   f64
  i32   i32   i32   i32   f16   bf16  f32   f64
  f16   f16   f16   f16   f16   f16   f16   f16
  bf16  bf16  bf16  bf16  bf16  bf16  bf16  bf16
  f32   f32   f32   f32   f32   f32   f32   f32
  f64   f64   f64   f64   f64   f64   f64   f64`);

/** A tensor of any rank (rows) and a JavaScript value: a boolean, a whole number, another one. */
const BESIDE_NUMBER = table(`
        true  2     0.5
  bool  bool  i32   f32
  u8    u8    u8    f32
  i32   i32   i32   f32
  f16   f16   f16   f16
  bf16  bf16  bf16  bf16
  f32   f32   f32   f32
  f64   f64   f64   f64`);

const vector = (dtype: DType): Tensor => tensor([1, 0, 1], { dtype });
const scalar = (dtype: DType): Tensor => tensor(1, { dtype });
const RANK = { bool: 0, uint8: 1, int32: 1, float16: 2, bfloat16: 2, float32: 2, float64: 2 } as const;
const pairs = DTYPES.flatMap((a) => DTYPES.map((b) => [a, b] as const));

it('promoteTypes is that table, and symmetric', () => {
  for (const [a, b] of pairs) {
    expect(promoteTypes(a, b), `${a} ${b}`).toBe(ALIKE.get(`${a} ${b}`));
    expect(promoteTypes(b, a)).toBe(promoteTypes(a, b));
  }
});

/** Each pair of operands with the dtype in which they meet. */
const operands: (readonly [name: string, a: (x: DType) => Tensor, b: (y: DType) => Tensor, want: (x: DType, y: DType) => DType])[] = [
  ['two tensors', vector, vector, (x, y) => ALIKE.get(`${x} ${y}`)!],
  ['two 0-d tensors', scalar, scalar, (x, y) => ALIKE.get(`${x} ${y}`)!],
  ['a tensor and a 0-d tensor', vector, scalar, (x, y) => BESIDE_SCALAR.get(`${x} ${y}`)!],
  ['a 0-d tensor and a tensor', scalar, vector, (x, y) => BESIDE_SCALAR.get(`${y} ${x}`)!],
];

describe.each(operands)('%s', (_name, left, right, want) => {
  it.each(pairs)('%s with %s', (x, y) => {
    const [a, b, dtype] = [left(x), right(y), want(x, y)];
    expect(resultType(a, b)).toBe(dtype);
    expect(a.add(b).dtype).toBe(dtype);
    expect(a.mul(b).dtype).toBe(dtype);
    expect(a.maximum(b).dtype).toBe(dtype);
    expect(where(vector('bool'), a, b).dtype).toBe(dtype);
    // Division leaves the integers; comparisons give bool.
    expect(a.div(b).dtype).toBe(RANK[dtype] < 2 ? 'float32' : dtype);
    expect(a.eq(b).dtype).toBe('bool');
    expect([...a.add(b).to('float64').data()].every((v) => v === 0 || v === 1 || v === 2)).toBe(true);
  });

  it.each(pairs)('%s is written into by %s where its category is not below', (x, y) => {
    const [a, b] = [left(x), right(y)];
    if (a.ndim < b.ndim) return; // an output of a larger shape is refused for that
    const dtype = want(x, y);
    if (RANK[dtype] <= RANK[x]) expect(a.add_(b).dtype).toBe(x);
    else expect(() => a.add_(b)).toThrow(expect.objectContaining({ code: 'ERR_INPLACE_DTYPE' }));
  });
});

describe('a tensor and a JavaScript value', () => {
  it.each(DTYPES.flatMap((x) => [true, 2, 0.5].map((v) => [x, v] as const)))('%s with %s', (x, value) => {
    const want = BESIDE_NUMBER.get(`${x} ${value}`)!;
    for (const t of [vector(x), scalar(x)]) {
      expect(resultType(t, value)).toBe(want);
      expect(resultType(value, t)).toBe(want);
      expect(t.add(value).dtype).toBe(want);
      expect(t.mul(value).dtype).toBe(want);
      expect(where(vector('bool'), t, value).dtype).toBe(want);
      expect(t.div(value).dtype).toBe(RANK[want] < 2 ? 'float32' : want);
      if (RANK[want] <= RANK[x]) expect(t.clone().add_(value).dtype).toBe(x);
      else expect(() => t.clone().add_(value)).toThrow(expect.objectContaining({ code: 'ERR_INPLACE_DTYPE' }));
    }
  });

  it('values come out as they should, not as the dtype between', () => {
    expect(tensor([250], { dtype: 'uint8' }).add(10).toArray()).toEqual([4]);
    expect(tensor([250], { dtype: 'uint8' }).add(0.5).toArray()).toEqual([250.5]);
    expect(tensor([true]).add(2).toArray()).toEqual([3]);
    expect(tensor([2147483647], { dtype: 'int32' }).add(1).toArray()).toEqual([-2147483648]);
    expect(
      tensor([1], { dtype: 'float16' })
        .add(tensor(1e-4, { dtype: 'float64' }))
        .toArray(),
    ).toEqual([1]);
    expect(tensor([7], { dtype: 'int32' }).div(2).toArray()).toEqual([3.5]);
  });
});

it('cat gives the dtype of all', () => {
  for (const [a, b] of pairs) expect(cat([vector(a), vector(b)]).dtype).toBe(ALIKE.get(`${a} ${b}`));
});
