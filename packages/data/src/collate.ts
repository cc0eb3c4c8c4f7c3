/** @file Samples into batches. PyTorch: torch.utils.data.default_collate. */
import { isTensor, stack, tensor, type Tensor, ValueError } from '@tessera/core';

/**
 * One batch from samples: tensors are stacked, numbers and booleans become a tensor (whole numbers int32), arrays and plain objects are collated
 * entry by entry, texts stay a list.
 */
export function defaultCollate(samples: readonly unknown[]): unknown {
  if (samples.length === 0) throw new ValueError('ERR_COLLATE', 'default_collate: an empty batch');
  const first = samples[0];
  if (isTensor(first)) return stack(samples as Tensor[]);
  if (ArrayBuffer.isView(first)) return stack(samples.map((s) => tensor(s as Float32Array)));
  if (typeof first === 'number')
    return tensor(samples as number[], { dtype: (samples as number[]).every(Number.isInteger) ? 'int32' : 'float32' });
  if (typeof first === 'boolean') return tensor(samples as boolean[]);
  if (typeof first === 'string') return [...samples];
  if (Array.isArray(first)) {
    if (samples.some((s) => (s as unknown[]).length !== first.length))
      throw new ValueError('ERR_COLLATE', 'each element in list of batch should be of equal size');
    return first.map((_, i) => defaultCollate(samples.map((s) => (s as unknown[])[i])));
  }
  if (first instanceof Map) {
    const maps = samples as readonly ReadonlyMap<unknown, unknown>[];
    return new Map([...maps[0]!.keys()].map((key) => [key, defaultCollate(maps.map((m) => m.get(key)))]));
  }
  if (typeof first === 'object' && first !== null) {
    return Object.fromEntries(
      Object.keys(first).map((key) => [key, defaultCollate(samples.map((s) => (s as Record<string, unknown>)[key]))]),
    );
  }
  throw new ValueError(
    'ERR_COLLATE',
    `default_collate: batch must contain tensors, typed arrays, numbers, booleans, texts, arrays or objects; found ${first === null ? 'null' : typeof first}`,
  );
}
