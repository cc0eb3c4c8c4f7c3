/** @file NumPy's .npz form: .npy files in a zip archive. */
import type { Tensor } from '@tessera/core';
import { zipSync } from 'fflate';
import type { NamedTensors } from '../safetensors/tensors.js';
import { readZip } from '../zip/read-zip.js';
import { encodeNpy, type NpyOptions, parseNpy, tensorOf } from './npy.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const NPZ_LOAD_OPTIONS: OptionNames<NpzLoadOptions> = { filter: true, maxBytes: true, device: true };
const NPZ_SAVE_OPTIONS: OptionNames<NpzSaveOptions> = { compressed: true };

export interface NpzLoadOptions extends NpyOptions {
  /** Only the names that pass. */
  readonly filter?: (name: string) => boolean;
  /** The most bytes that the file may unpack to. Default: 64 MiB and 64 times its own size. */
  readonly maxBytes?: number;
}

export interface NpzSaveOptions {
  /** Compress (deflate)? Default false. NumPy: numpy.savez_compressed. */
  readonly compressed?: boolean;
}

const SUFFIX = '.npy';

/**
 * The tensors of a .npz file, by name. All are checked before one is made. NumPy: numpy.load.
 * @throws as `loadNpy`; FormatError ERR_ZIP, ERR_ZIP_SIZE.
 * @example const weights = loadNpz(await readFile('weights.npz'))
 */
export function loadNpz(bytes: Uint8Array, options: NpzLoadOptions = {}): Map<string, Tensor> {
  checkOptions('loadNpz', options, NPZ_LOAD_OPTIONS);
  const { filter, maxBytes } = options;
  const wants = (name: string): boolean => name.endsWith(SUFFIX) && (filter?.(name.slice(0, -SUFFIX.length)) ?? true);
  const arrays = [...readZip(bytes, { wants, ...(maxBytes === undefined ? {} : { maxBytes }) })].map(
    ([name, file]) => [name.slice(0, -SUFFIX.length), parseNpy(file, name)] as const,
  );
  return new Map(arrays.map(([name, array]) => [name, tensorOf(array, options)]));
}

const entriesOf = (tensors: NamedTensors): (readonly [string, Tensor])[] =>
  Symbol.iterator in tensors ? [...(tensors as Iterable<readonly [string, Tensor]>)] : Object.entries(tensors);

function pack(files: readonly (readonly [string, Uint8Array])[], { compressed = false }: NpzSaveOptions): Uint8Array {
  return zipSync(Object.fromEntries(files.map(([name, file]) => [name + SUFFIX, file])), {
    level: compressed ? 6 : 0,
    mtime: '1980-01-01T12:00:00',
  });
}

/**
 * The bytes of a .npz file with these tensors. NumPy: numpy.savez.
 * @example await writeFile('weights.npz', saveNpz(model.stateDict()))
 */
export function saveNpz(tensors: NamedTensors, options: NpzSaveOptions = {}): Uint8Array {
  checkOptions('saveNpz', options, NPZ_SAVE_OPTIONS);
  return pack(
    entriesOf(tensors).map(([name, t]) => [name, encodeNpy(t.dtype, t.shape, t.bytes())] as const),
    options,
  );
}

/** As {@link saveNpz}, for devices that cannot be read synchronously. */
export async function saveNpzAsync(tensors: NamedTensors, options: NpzSaveOptions = {}): Promise<Uint8Array> {
  checkOptions('saveNpzAsync', options, NPZ_SAVE_OPTIONS);
  return pack(
    await Promise.all(entriesOf(tensors).map(async ([name, t]) => [name, encodeNpy(t.dtype, t.shape, await t.bytesAsync())] as const)),
    options,
  );
}
