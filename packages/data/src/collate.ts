/** @file Samples into batches. PyTorch: torch.utils.data.default_collate. */
import { isTensor, stack, tensor, type Tensor, ValueError } from '@tessera/core';

/**
 * One batch from samples: tensors are stacked, numbers and booleans become a tensor (whole numbers int32), arrays and plain objects are collated
 * entry by entry, texts stay a list.
 *
 * @throws ValueError `ERR_COLLATE` for what is none of these, and for samples that are not alike; it says where in a sample.
 */
export function defaultCollate(samples: readonly unknown[]): unknown {
  if (samples.length === 0) throw new ValueError('ERR_COLLATE', 'default_collate: an empty batch');
  return collate(samples, '');
}

/** `path`: where in a sample, such as `.image` or `[0].label`. */
function collate(samples: readonly unknown[], path: string): unknown {
  const first = samples[0];
  const kind = kindOf(first);
  samples.forEach((sample, i) => {
    const other = kindOf(sample);
    if (other !== kind)
      throw new ValueError(
        'ERR_COLLATE',
        `default_collate: samples of a batch must be alike, but sample 0 has ${describe(first)} and sample ${i} ${describe(sample)}${place(path)}`,
      );
  });
  switch (kind) {
    case 'tensor':
      return stack(samples as Tensor[]);
    case 'typed array':
      return stack(samples.map((s) => tensor(s as Float32Array)));
    case 'number':
      return tensor(samples as number[], { dtype: (samples as number[]).every(Number.isInteger) ? 'int32' : 'float32' });
    case 'boolean':
      return tensor(samples as boolean[]);
    case 'string':
      return [...samples];
    case 'array': {
      const arrays = samples as readonly (readonly unknown[])[];
      if (arrays.some((s) => s.length !== arrays[0]!.length))
        throw new ValueError('ERR_COLLATE', `each element in list of batch should be of equal size${place(path)}`);
      return arrays[0]!.map((_, i) =>
        collate(
          column(arrays, (s) => s[i]),
          `${path}[${i}]`,
        ),
      );
    }
    case 'Map': {
      const maps = samples as readonly ReadonlyMap<unknown, unknown>[];
      return new Map(
        [...maps[0]!.keys()].map((key) => [
          key,
          collate(
            column(maps, (m) => m.get(key)),
            `${path}.${String(key)}`,
          ),
        ]),
      );
    }
    case 'object': {
      const objects = samples as readonly Readonly<Record<string, unknown>>[];
      return Object.fromEntries(
        Object.keys(objects[0]!).map((key) => [
          key,
          collate(
            column(objects, (s) => s[key]),
            `${path}.${key}`,
          ),
        ]),
      );
    }
    default:
      throw new ValueError(
        'ERR_COLLATE',
        `default_collate: batch must contain tensors, typed arrays, numbers, booleans, texts, arrays or objects; found ${describe(first)}${place(path)}`,
      );
  }
}

const column = <T>(samples: readonly T[], of: (sample: T) => unknown): unknown[] => samples.map(of);

const place = (path: string): string => (path === '' ? '' : `, at ${path}`);

/** What a sample counts as; that of an object of a class, such as a Date, which is not data by its fields, is 'unknown'. */
function kindOf(x: unknown): string {
  if (isTensor(x)) return 'tensor';
  if (ArrayBuffer.isView(x)) return 'typed array';
  if (Array.isArray(x)) return 'array';
  if (x instanceof Map) return 'Map';
  if (typeof x !== 'object') return typeof x;
  if (x === null) return 'null';
  const prototype: unknown = Object.getPrototypeOf(x);
  return prototype === null || prototype === Object.prototype || Object.keys(x).length > 0 ? 'object' : 'unknown';
}

function describe(x: unknown): string {
  if (x === undefined) return 'nothing';
  const kind = kindOf(x);
  return kind === 'unknown' ? `a ${(x as object).constructor?.name ?? 'object'}` : kind === 'null' ? kind : `a ${kind}`;
}

/** A sample as it is, with tensors in place of typed arrays. PyTorch: torch.utils.data.default_convert. */
export function defaultConvert(sample: unknown): unknown {
  switch (kindOf(sample)) {
    case 'typed array':
      return tensor(sample as Float32Array);
    case 'array':
      return (sample as readonly unknown[]).map(defaultConvert);
    case 'Map':
      return new Map([...(sample as ReadonlyMap<unknown, unknown>)].map(([key, value]) => [key, defaultConvert(value)]));
    case 'object':
      return Object.fromEntries(Object.entries(sample as object).map(([key, value]) => [key, defaultConvert(value)]));
    default:
      return sample;
  }
}
