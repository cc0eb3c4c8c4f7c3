/** @file Tensors read one at a time, each when it is asked for. */
import { didYouMean, type DeviceLike, type Tensor, ValueError } from '@tessera/core';
import { type ByteSource, readExactly } from './byte-source.js';
import { LENGTH_BYTES } from './dtypes.js';
import { parseHeader, readHeaderLength, type SafetensorsHeader, type SafetensorsInfo } from './header.js';
import { type LoadOptions, tensorOf } from './tensors.js';

/** Where a tensor lies. */
export interface Place extends SafetensorsInfo {
  readonly source: ByteSource;
  readonly offset: number;
}

export interface TensorOptions {
  /** Where the tensor is made. Default: the default device. */
  readonly device?: DeviceLike;
}

/** The header of a file, and where its data begin. @throws FormatError as `parseSafetensors`. */
export async function readHeaderOf(source: ByteSource): Promise<SafetensorsHeader & { readonly dataStart: number }> {
  const { size } = source;
  const first = Math.min(size, LENGTH_BYTES);
  const length = readHeaderLength(await readExactly(source, 0, first), size);
  const dataStart = LENGTH_BYTES + length;
  return { ...parseHeader(await readExactly(source, LENGTH_BYTES, length), size - dataStart), dataStart };
}

/**
 * An open safetensors file, or a set of shards: the headers are read and checked, tensors are read when they are asked for. Python: safe_open.
 * Get one from `openSafetensors` or `openSafetensorsShards`.
 */
export class SafetensorsReader implements AsyncDisposable {
  readonly #places: ReadonlyMap<string, Place>;
  readonly #close: () => Promise<void>;

  constructor(
    /** The files' free-form strings. */
    readonly metadata: Readonly<Record<string, string>>,
    places: ReadonlyMap<string, Place>,
    close: () => Promise<void>,
  ) {
    this.#places = places;
    this.#close = close;
  }

  /** What the headers say of each tensor: its dtype in the file, its shape, its bytes. */
  get tensors(): ReadonlyMap<string, SafetensorsInfo> {
    return this.#places;
  }

  /**
   * Reads one tensor. 64-bit integers become int32, range-checked. Python: get_tensor.
   * @throws ValueError ERR_SAFETENSORS_MISSING for a name that is not there; FormatError and NotSupportedError as `toHostArray`.
   */
  async getTensor(name: string, options: TensorOptions = {}): Promise<Tensor> {
    const { source, offset, byteLength, dtype, shape } = this.#placeOf(name);
    return tensorOf(name, { dtype, shape, data: await readExactly(source, offset, byteLength) }, options.device);
  }

  /**
   * Reads rows `start` to `end` of a tensor, and nothing else of it. Negative ones count from the end. Python: get_slice(name)[start:end].
   * @throws ValueError ERR_SAFETENSORS_SLICE for a tensor without dims, and as {@link getTensor}.
   */
  async getSlice(name: string, start: number, end: number, options: TensorOptions = {}): Promise<Tensor> {
    const { source, offset, byteLength, dtype, shape } = this.#placeOf(name);
    const [rows, ...rest] = shape;
    const at = (i: number): number => Math.max(0, Math.min(rows!, i < 0 ? i + rows! : i));
    const [from, to] = [at(start), at(end)];
    const rowBytes = rows === undefined || rows === 0 ? 0 : byteLength / rows;
    if (rows === undefined || !Number.isInteger(start) || !Number.isInteger(end) || !Number.isInteger(rowBytes))
      throw new ValueError(
        'ERR_SAFETENSORS_SLICE',
        `safetensors: ${name}, ${dtype} of [${shape.join(', ')}], has no rows ${start} to ${end}`,
        {
          tensor: name,
        },
      );
    const count = Math.max(0, to - from);
    const data = await readExactly(source, offset + from * rowBytes, count * rowBytes);
    return tensorOf(name, { dtype, shape: [count, ...rest], data }, options.device);
  }

  /** The tensors one after the other, in the order in which they lie in the file. */
  async *entries(options: LoadOptions = {}): AsyncGenerator<[name: string, tensor: Tensor], void, undefined> {
    for (const name of this.#places.keys()) {
      // oxlint-disable-next-line no-await-in-loop -- one at a time is the point
      if (options.filter?.(name) ?? true) yield [name, await this.getTensor(name, options)];
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<[name: string, tensor: Tensor], void, undefined> {
    return this.entries();
  }

  #placeOf(name: string): Place {
    const place = this.#places.get(name);
    if (place === undefined)
      throw new ValueError(
        'ERR_SAFETENSORS_MISSING',
        `safetensors: there is no tensor '${name}'${didYouMean(name, [...this.#places.keys()])}`,
        {
          tensor: name,
        },
      );
    return place;
  }

  /** Closes the files that were opened for it. */
  close(): Promise<void> {
    return this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

/** Where the tensors of one file lie, in the order of their data. */
export function placesIn(source: ByteSource, { entries, dataStart }: Awaited<ReturnType<typeof readHeaderOf>>): [string, Place][] {
  return entries
    .toSorted((a, b) => a.begin - b.begin || a.end - b.end)
    .map(({ name, dtype, shape, begin, end }) => [name, { source, offset: dataStart + begin, dtype, shape, byteLength: end - begin }]);
}
