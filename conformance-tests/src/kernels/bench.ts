/** @file A bench to try kernels on: puts arrays into a backend's memory in a layout, and reads them back with their surroundings. */
import { type Backend, type BackendBuffer, type DType, KERNEL_DTYPES, type RequiredKernels, type View } from '@tessera/core';
import { Mismatch } from '../check/result.js';
import { Skip } from '../check/skip.js';
import { fromBytes, rounded, toBytes } from './bytes.js';
import { eachIndex, type HostArray } from './host.js';
import { CONTIGUOUS, type Layout, type Placement } from './layouts.js';

/** What lies between the elements of a view: no kernel may change it. */
const GUARD: { readonly [D in DType]: number } = {
  float32: -7.25,
  float64: -7.25,
  float16: -7.25,
  bfloat16: -7.25,
  int32: -777,
  uint8: 0x5a,
  bool: 1,
};

export class Bench {
  readonly #backend: Backend;
  readonly #buffers: BackendBuffer[] = [];
  readonly #outputs: View[] = [];
  /** What takes the place of float32. */
  #float: DType = 'float32';

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  get kernels(): Backend['kernels'] {
    return this.#backend.kernels;
  }

  /** From now on arrays of float32 are kept in another dtype. @throws Skip where the backend has it not */
  useFloat(dtype: DType): void {
    if (!this.#backend.capabilities.dtypes.includes(dtype)) throw new Skip('device', `${this.#backend.id} has no ${dtype}`);
    this.#float = dtype;
  }

  /** @throws Skip where the backend has no such dtype, or says that the kernel does not take it */
  needs(kernel: keyof RequiredKernels, ...dtypes: readonly DType[]): void {
    const { dtypes: has, kernelDTypes } = this.#backend.capabilities;
    for (const dtype of dtypes) {
      if (!has.includes(dtype)) throw new Skip('device', `${this.#backend.id} has no ${dtype}`);
      if (!(kernelDTypes?.[kernel] ?? KERNEL_DTYPES[kernel]).includes(dtype))
        throw new Skip('device', `${kernel} of ${this.#backend.id} takes no ${dtype}`);
    }
  }

  /** An array in memory. A broadcast layout takes its values from the first index. */
  input(array: HostArray, layout: Layout = CONTIGUOUS): View {
    return this.#place(array.dtype, array.shape, layout.place(array.shape), array.data);
  }

  /** Memory to be written, with guards in it everywhere. */
  output(dtype: DType, shape: readonly number[], layout: Layout = CONTIGUOUS): View {
    const view = this.#place(dtype, shape, layout.place(shape), undefined);
    this.#outputs.push(view);
    return view;
  }

  #place(asked: DType, shape: readonly number[], { strides, offset, length }: Placement, data: readonly number[] | undefined): View {
    const dtype = asked === 'float32' ? this.#float : asked;
    const storage = new Array<number>(length).fill(GUARD[dtype]);
    if (data) eachIndex(shape, (index, place) => (storage[at(index, strides, offset)] = data[place]));
    const buffer = this.#backend.allocate(dtype, length);
    this.#buffers.push(buffer);
    this.#backend.write(buffer, 0, toBytes(storage, dtype));
    return { buffer, dtype, shape: [...shape], strides: [...strides], offset };
  }

  /** The elements of a view, row-major. @throws Mismatch where something around them was written. */
  async result({ buffer, dtype, shape, strides, offset }: View): Promise<HostArray> {
    const storage = fromBytes(await this.#backend.read(buffer, 0, buffer.length), dtype);
    const data: number[] = [];
    const inside = new Set<number>();
    eachIndex(shape, (index) => {
      const place = at(index, strides, offset);
      inside.add(place);
      data.push(storage[place]);
    });
    const guard = rounded(GUARD[dtype], dtype);
    storage.forEach((x, place) => {
      if (!inside.has(place) && x !== guard)
        throw new Mismatch(`element ${place} of the buffer, outside the view, was overwritten with ${x}`);
    });
    if (storage.length !== buffer.length) throw new Mismatch(`read gave ${storage.length} elements of ${buffer.length}`);
    return { dtype, shape, data };
  }

  /** Checks that outputs are as they were made. @throws Mismatch */
  async checkUntouched(): Promise<void> {
    for (const view of this.#outputs) {
      const guard = rounded(GUARD[view.dtype], view.dtype);
      const { data } = await this.result(view);
      const written = data.find((x) => x !== guard);
      if (written !== undefined) throw new Mismatch('an output was written', String(guard), String(written));
    }
  }

  /** Frees all memory of the bench. */
  end(): void {
    for (const buffer of this.#buffers) this.#backend.free(buffer);
    this.#buffers.length = 0;
  }
}

const at = (index: readonly number[], strides: readonly number[], offset: number): number =>
  index.reduce((place, i, d) => place + i * strides[d], offset);
