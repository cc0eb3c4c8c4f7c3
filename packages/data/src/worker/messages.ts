/** @file What a loader and its workers tell each other, and tensors on the way: only plain data crosses threads. */
import { type DType, fromBytes, isTensor, type Tensor } from '@tessera/core';

/** To a worker. */
export type ToWorker =
  | { readonly type: 'start'; readonly id: number; readonly numWorkers: number; readonly seed: number }
  | { readonly type: 'fetch'; readonly task: number; readonly indices: readonly number[] }
  | { readonly type: 'next'; readonly task: number; readonly count: number };

/** From a worker. */
export type FromWorker =
  | { readonly type: 'ready'; readonly length: number | null }
  | { readonly type: 'samples'; readonly task: number; readonly samples: readonly unknown[]; readonly done: boolean }
  | { readonly type: 'error'; readonly task: number | null; readonly name: string; readonly message: string; readonly stack: string };

/** A tensor as plain data. */
interface PackedTensor {
  readonly $tensor: { readonly bytes: Uint8Array; readonly shape: readonly number[]; readonly dtype: DType };
}

/** A sample in a form that crosses threads. */
export async function packSample(sample: unknown): Promise<unknown> {
  if (isTensor(sample))
    return { $tensor: { bytes: await sample.bytesAsync(), shape: sample.shape, dtype: sample.dtype } } satisfies PackedTensor;
  if (Array.isArray(sample)) return Promise.all(sample.map(packSample));
  if (sample instanceof Map)
    return new Map(
      await Promise.all(
        [...(sample as ReadonlyMap<unknown, unknown>)].map(async ([key, value]) => [key, await packSample(value)] as const),
      ),
    );
  if (isPlain(sample))
    return Object.fromEntries(
      await Promise.all(Object.entries(sample).map(async ([key, value]) => [key, await packSample(value)] as const)),
    );
  return sample;
}

export function unpackSample(sample: unknown): unknown {
  if (Array.isArray(sample)) return sample.map(unpackSample);
  if (sample instanceof Map)
    return new Map([...(sample as ReadonlyMap<unknown, unknown>)].map(([key, value]) => [key, unpackSample(value)]));
  if (!isPlain(sample)) return sample;
  const { $tensor: packed } = sample as Partial<PackedTensor>;
  if (packed !== undefined) return fromBytes(packed.bytes, [...packed.shape], packed.dtype) as Tensor;
  return Object.fromEntries(Object.entries(sample).map(([key, value]) => [key, unpackSample(value)]));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || isTensor(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
