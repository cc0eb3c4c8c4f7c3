/**
 * @file Backends that are wrong on purpose: the CPU backend with one fault each, such as backends really have. The kit must find every one.
 */
import { CpuBackend } from '@tessera/backend-cpu';
import type { Backend, RequiredKernels, View } from '@tessera/core';

type Kernels = RequiredKernels;

/** A fault, where it shows, and how it is made. */
export interface Fault {
  /** A kernel's case that must fail on it. */
  readonly caughtBy: string;
  readonly make: () => Backend;
}

/** The CPU backend with some of its kernels replaced. `sound` are the right ones. */
function withKernels(change: (sound: Kernels, backend: CpuBackend) => Partial<Kernels>): () => Backend {
  return () => {
    const backend = new CpuBackend();
    const sound = backend.kernels as unknown as Kernels;
    Object.assign(backend, { kernels: { ...sound, ...change(sound, backend) } });
    return backend as unknown as Backend;
  };
}

/** Reads and writes a view's elements through the backend, as a person would who knows its memory. */
function elements(backend: CpuBackend, { buffer, dtype }: View): Float32Array | undefined {
  if (dtype !== 'float32') return undefined;
  return new Float32Array(backend.readSync(buffer as never, 0, buffer.length).buffer);
}
const store = (backend: CpuBackend, { buffer }: View, data: Float32Array): void =>
  backend.write(buffer as never, 0, new Uint8Array(data.buffer));

export const FAULTS: Readonly<Record<string, Fault>> = {
  'max loses NaN': {
    caughtBy: 'reduce/max/nan',
    make: withKernels((sound, backend) => ({
      reduce(kind, program, scalars, inputs, output, axes) {
        sound.reduce(kind, program, scalars, inputs, output, axes);
        const data = kind === 'max' ? elements(backend, output) : undefined;
        if (data)
          store(
            backend,
            output,
            data.map((x) => (x !== x ? 0 : x)),
          );
      },
    })),
  },
  'argmax takes the last of equals': {
    caughtBy: 'reduce/argmax/ties',
    make: withKernels((sound, backend) => ({
      reduce(kind, program, scalars, inputs, output, axes) {
        sound.reduce(kind, program, scalars, inputs, output, axes);
        // The last place where the found value stands, in a matrix reduced along its rows.
        if (kind !== 'argmax' || axes.length !== 1 || axes[0] !== 1 || inputs[0].shape.length !== 2) return;
        const x = elements(backend, inputs[0]);
        if (!x) return;
        const [{ strides, offset, shape }] = inputs;
        const places = new Int32Array(backend.readSync(output.buffer as never, 0, output.buffer.length).buffer);
        const at = (i: number, j: number): number => x[offset + i * strides[0] + j * strides[1]];
        for (let i = 0; i < shape[0]; i++) {
          const to = output.offset + i * output.strides[0];
          for (let j = 0; j < shape[1]; j++) if (at(i, j) === at(i, places[to])) places[to] = j;
        }
        backend.write(output.buffer as never, 0, new Uint8Array(places.buffer));
      },
    })),
  },
  'a strided input is read one element further': {
    caughtBy: 'pointwise/float32/copy-stepped',
    make: withKernels((sound) => ({
      pointwise(program, scalars, inputs, outputs) {
        const moved = inputs.map((view) =>
          view.strides.at(-1)! > 1 && view.offset + 1 < view.buffer.length ? { ...view, offset: view.offset + 1 } : view,
        );
        sound.pointwise(program, scalars, moved, outputs);
      },
    })),
  },
  'a negative stride is taken as positive': {
    caughtBy: 'pointwise/float32/copy-reversed',
    make: withKernels((sound) => ({
      pointwise(program, scalars, inputs, outputs) {
        const turn = (view: View): View =>
          view.strides.some((stride) => stride < 0) && view.shape.length === 3
            ? { ...view, strides: view.strides.map(Math.abs), offset: 0 }
            : view;
        sound.pointwise(program, scalars, inputs.map(turn), outputs);
      },
    })),
  },
  'an offset is forgotten': {
    caughtBy: 'gather/dim-0/offset',
    make: withKernels((sound) => ({ gather: (input, indices, dim, out) => sound.gather({ ...input, offset: 0 }, indices, dim, out) })),
  },
  'scatter ignores duplicates': {
    caughtBy: 'scatter/add/same-target',
    make: withKernels((sound) => ({
      scatter: (kind, indices, source, dim, out) => sound.scatter(kind === 'add' ? 'set' : kind, indices, source, dim, out),
    })),
  },
  'a bad index is clamped': {
    caughtBy: 'gather/out-of-range/5',
    make: withKernels((sound, backend) => ({
      gather(input, indices, dim, out) {
        const places = new Int32Array(backend.readSync(indices.buffer as never, 0, indices.buffer.length).buffer);
        const clamped = places.map((i) => Math.max(0, Math.min(input.shape[dim] - 1, i)));
        backend.write(indices.buffer as never, 0, new Uint8Array(clamped.buffer));
        sound.gather(input, indices, dim, out);
      },
    })),
  },
  'sorting is not stable': {
    caughtBy: 'sort/descending/stable',
    make: withKernels((sound) => ({
      // The reverse of the ascending order: equal elements come out backwards.
      sort(input, dim, descending, values, indices) {
        const reversed = (view: View): View => ({
          ...view,
          offset: view.offset + (view.shape[dim] - 1) * view.strides[dim],
          strides: view.strides.map((stride, d) => (d === dim ? -stride : stride)),
        });
        if (descending) sound.sort(input, dim, false, reversed(values), reversed(indices));
        else sound.sort(input, dim, false, values, indices);
      },
    })),
  },
  'a result in place of an input is read again': {
    caughtBy: 'pointwise/float32/in-place',
    make: withKernels((sound) => ({
      pointwise(program, scalars, inputs, outputs) {
        sound.pointwise(program, scalars, inputs, outputs);
        // A kernel that runs in two passes over its own result.
        if (inputs.some(({ buffer }) => outputs.some((output) => output.buffer === buffer)))
          sound.pointwise(program, scalars, inputs, outputs);
      },
    })),
  },
  'it writes beyond the view': {
    caughtBy: 'matmul/layout/out-stepped',
    make: withKernels((sound, backend) => ({
      matmul(a, b, out) {
        sound.matmul(a, b, out);
        const data = out.offset > 0 ? elements(backend, out) : undefined;
        if (!data) return;
        data[out.offset - 1] = 0;
        store(backend, out, data);
      },
    })),
  },
  'running sums ignore their direction': {
    caughtBy: 'scan/sum/axis-1-reverse',
    make: withKernels((sound) => ({ scan: (kind, _reverse, input, output, axis) => sound.scan(kind, false, input, output, axis) })),
  },
  'exp is of low precision': {
    caughtBy: 'opcode.exp/float32',
    make: withKernels((sound, backend) => ({
      pointwise(program, scalars, inputs, outputs) {
        sound.pointwise(program, scalars, inputs, outputs);
        if (!program.instructions.some(({ op }) => op === 'exp')) return;
        for (const output of outputs) {
          const data = elements(backend, output);
          if (data)
            store(
              backend,
              output,
              data.map((x) => x * (1 + 1e-5)),
            );
        }
      },
    })),
  },
  'free gives nothing back': {
    caughtBy: 'memory/account',
    make: () => Object.assign(new CpuBackend(), { free: () => {} }) as unknown as Backend,
  },
  'read gives a window on the buffer': {
    caughtBy: 'memory/read-is-owned',
    make: () => {
      const backend = new CpuBackend();
      const windows = new Map<unknown, Uint8Array>();
      const { readSync } = backend;
      const read = (buffer: never, offset: number, length: number): Promise<Uint8Array> => {
        const bytes = readSync.call(backend, buffer, offset, length);
        const window = windows.get(buffer) ?? bytes;
        windows.set(buffer, window);
        if (window.length === bytes.length) window.set(bytes);
        return Promise.resolve(window.length === bytes.length ? window : bytes);
      };
      return Object.assign(backend, { read }) as unknown as Backend;
    },
  },
  'it claims a dtype that it has not': {
    caughtBy: 'memory/float64/round-trip',
    make: () => {
      const backend = new CpuBackend();
      const { allocate } = backend;
      return Object.assign(backend, {
        allocate: (dtype: 'float64', length: number) => allocate.call(backend, dtype === 'float64' ? ('float32' as never) : dtype, length),
      }) as unknown as Backend;
    },
  },
};
