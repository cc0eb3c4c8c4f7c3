/** @file Tensors to safetensors and back. */
import {
  checkOptions,
  type OptionNames,
  type DeviceLike,
  type DType,
  DTYPE_INFO,
  fromBytes,
  type Tensor,
  isModule,
  ValueError,
} from '@tessera/core';
import type { SafetensorsTensor } from './dtypes.js';
import { fromHostArray, toHostArray } from './host-array.js';
import { parseSafetensors } from './parse.js';
import { serializeSafetensors } from './serialize.js';

const LOAD_OPTIONS: OptionNames<LoadOptions> = { device: true, filter: true };
const SAVE_OPTIONS: OptionNames<SaveOptions> = { metadata: true, int64: true };

/** Tensors by name: a state_dict, a Map, or a plain object. */
export type NamedTensors = Iterable<readonly [string, Tensor]> | Readonly<Record<string, Tensor>>;

export interface SaveOptions {
  /** Free-form strings for the header, such as `{ format: 'pt' }`. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Names whose int32 tensors are written as int64, or a test for names. Default: those that PyTorch keeps so, `…num_batches_tracked`. */
  readonly int64?: (name: string) => boolean;
}

export interface LoadOptions {
  /** Where the tensors are made. Default: the default device. */
  readonly device?: DeviceLike;
  /** Only the names that pass. */
  readonly filter?: (name: string) => boolean;
}

/** Names and tensors. */
export const entriesOf = (tensors: NamedTensors): [string, Tensor][] =>
  Symbol.iterator in tensors ? [...(tensors as Iterable<readonly [string, Tensor]>)].map(([n, t]) => [n, t]) : Object.entries(tensors);

const isCounter = (name: string): boolean => name.endsWith('num_batches_tracked');

/** Is it written as int64? */
export const isWide = (name: string, { dtype }: Tensor, options: SaveOptions): boolean =>
  dtype === 'int32' && (options.int64 ?? isCounter)(name);

/** A tensor of a file as one of the framework. */
export function tensorOf(name: string, t: SafetensorsTensor, device: DeviceLike | undefined): Tensor {
  const { dtype, array } = toHostArray(name, t);
  const raw = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  return fromBytes(raw, [...t.shape], dtype as DType, device === undefined ? {} : { device });
}

function pack(entries: readonly (readonly [string, Tensor, Uint8Array])[], options: SaveOptions): Uint8Array {
  return serializeSafetensors(
    entries.map(([name, tensor, bytes]) => {
      const { dtype } = tensor;
      const array = new DTYPE_INFO[dtype].array(bytes.slice().buffer);
      return [name, fromHostArray({ dtype, array }, tensor.shape, isWide(name, tensor, options) ? 'I64' : 'I32')] as const;
    }),
    options.metadata,
  );
}

/**
 * The bytes of a safetensors file with these tensors; those that share memory are written once for each name.
 * @example await writeFile('model.safetensors', saveSafetensors(model.stateDict()))
 */
export function saveSafetensors(tensors: NamedTensors, options: SaveOptions = {}): Uint8Array {
  if (isModule(tensors))
    throw new ValueError(
      'ERR_SAFETENSORS_TENSORS',
      'saveSafetensors takes tensors by name, and this is a module: give it model.stateDict()',
    );
  checkOptions('saveSafetensors', options, SAVE_OPTIONS);
  return pack(
    entriesOf(tensors).map(([name, t]) => [name, t, t.bytes()] as const),
    options,
  );
}

/** As {@link saveSafetensors}, for devices that cannot be read synchronously. */
export async function saveSafetensorsAsync(tensors: NamedTensors, options: SaveOptions = {}): Promise<Uint8Array> {
  checkOptions('saveSafetensorsAsync', options, SAVE_OPTIONS);
  return pack(await Promise.all(entriesOf(tensors).map(async ([name, t]) => [name, t, await t.bytesAsync()] as const)), options);
}

/**
 * The tensors of a safetensors file, by name. 64-bit integers become int32, range-checked. Everything is checked before a tensor is made.
 * @throws FormatError as `parseSafetensors` and `toHostArray`.
 * @example model.loadStateDict(loadSafetensors(await readFile('model.safetensors')))
 */
export function loadSafetensors(bytes: Uint8Array, options: LoadOptions = {}): Map<string, Tensor> {
  if (typeof bytes === 'string')
    throw new ValueError('ERR_BYTES', `loadSafetensors takes the bytes of a file: await readFile('${bytes as string}')`);
  checkOptions('loadSafetensors', options, LOAD_OPTIONS);
  const chosen = [...parseSafetensors(bytes).tensors].filter(([name]) => options.filter?.(name) ?? true);
  const arrays = chosen.map(([name, t]) => [name, t.shape, toHostArray(name, t)] as const);
  const out = new Map<string, Tensor>();
  for (const [name, shape, { dtype, array }] of arrays) {
    const raw = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    out.set(name, fromBytes(raw, shape, dtype as DType, options.device === undefined ? {} : { device: options.device }));
  }
  return out;
}
