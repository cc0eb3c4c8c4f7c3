/** @file How the kinds of reductions combine values in WGSL: a start, a step, and the same for a value with its index. */
import { type ComputeDType, type ReduceKind, ValueError } from '@tessera/core/backend';

/** A monoid over WGSL values of `type`. */
export interface Reduction {
  readonly type: 'f32' | 'i32';
  /** Values carry the index that they come from. */
  readonly indexed: boolean;
  readonly start: string;
  /** The name of a function (a, b) → combined. */
  readonly combine: string;
  /** Its source, where it is no library function. */
  readonly source: string;
}

/** @throws ValueError where the kind is not defined for the dtype */
export function reductionOf(kind: ReduceKind, dtype: ComputeDType): Reduction {
  const float = dtype === 'float32';
  const type = float ? 'f32' : 'i32';
  const plain = (start: string, body: string): Reduction => ({
    type,
    indexed: false,
    start,
    combine: 'combine',
    source: `fn combine(a: ${type}, b: ${type}) -> ${type} { return ${body}; }`,
  });
  if (dtype === 'bool' && kind !== 'max' && kind !== 'min')
    throw new ValueError('ERR_REDUCE_KIND', `reduce: ${kind} of bool is not defined`, { op: 'reduce', device: 'webgpu' });
  switch (kind) {
    case 'sum':
      return plain(float ? '0.0' : '0', 'a + b');
    case 'prod':
      return plain(float ? '1.0' : '1', 'a * b');
    case 'max':
      return float ? plain('k_neg(k_inf())', 'k_max(a, b)') : plain('(-2147483647 - 1)', 'max(a, b)');
    case 'min':
      return float ? plain('k_inf()', 'k_min(a, b)') : plain('2147483647', 'min(a, b)');
    default: {
      // The first among equals: the lower index, wherever the two come from. An index of 2^32 - 1 stands for no value at all.
      const better = kind === 'argmax' ? '>' : '<';
      const nan = float ? '|| (k_isnan(b.value) && !k_isnan(a.value))' : '';
      const same = float ? '(k_eq(a.value, b.value) || (k_isnan(a.value) && k_isnan(b.value)))' : '(a.value == b.value)';
      const beats = float ? `(b.value ${better} a.value && !k_isnan(a.value))` : `(b.value ${better} a.value)`;
      return {
        type,
        indexed: true,
        start: `Best(${float ? '0.0' : '0'}, 0xffffffffu)`,
        combine: 'combine',
        source: `struct Best { value: ${type}, index: u32 }
fn combine(a: Best, b: Best) -> Best {
  if (a.index == 0xffffffffu) { return b; }
  if (b.index == 0xffffffffu) { return a; }
  let wins = ${beats} ${nan} || (${same} && b.index < a.index);
  if (wins) { return b; }
  return a;
}`,
      };
    }
  }
}
