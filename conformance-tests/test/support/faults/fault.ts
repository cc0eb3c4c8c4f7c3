/** @file How a backend is made wrong on purpose: the CPU backend with one fault, such as backends really have. */
import { CpuBackend } from '@tessera/backend-cpu';
import type { Backend, Program, View } from '@tessera/core';

/** A fault, where it shows, and how it is made. */
export interface Fault {
  /** A case of the kernels level that must fail on it. */
  readonly caughtBy: string;
  readonly make: () => Backend;
}
export type Faults = Readonly<Record<string, Fault>>;

export type Kernels = Backend['kernels'];

/** The CPU backend with some of its members replaced. */
export function withMembers(change: (backend: CpuBackend) => Partial<Backend>): () => Backend {
  return () => {
    const backend = new CpuBackend();
    return Object.assign(backend, change(backend)) as unknown as Backend;
  };
}

/** The CPU backend with some of its kernels replaced. `sound` are the right ones. */
export function withKernels(change: (sound: Kernels, backend: CpuBackend) => Partial<Kernels>): () => Backend {
  return withMembers((backend) => {
    const sound = backend.kernels as unknown as Kernels;
    return { kernels: { ...sound, ...change(sound, backend) } };
  });
}

/** Changes each element of a float32 or int32 view that `to` gives another value for. The index counts the elements in row-major order. */
export function alter(
  backend: CpuBackend,
  { buffer, dtype, shape, strides, offset }: View,
  to: (x: number, index: readonly number[]) => number,
): void {
  const bytes = backend.readSync(buffer as never, 0, buffer.length);
  const data = dtype === 'float32' ? new Float32Array(bytes.buffer) : dtype === 'int32' ? new Int32Array(bytes.buffer) : undefined;
  if (!data) return;
  const index = shape.map(() => 0);
  const walk = (d: number, at: number): void => {
    if (d === shape.length) data[at] = to(data[at], index);
    else for (index[d] = 0; index[d] < shape[d]; index[d]++) walk(d + 1, at + index[d] * strides[d]);
  };
  walk(0, offset);
  backend.write(buffer as never, 0, new Uint8Array(data.buffer));
}

/** The elements of a float32 view, row-major. */
export function elements(backend: CpuBackend, view: View): number[] {
  const found: number[] = [];
  alter(backend, view, (x) => {
    found.push(x);
    return x;
  });
  return found;
}

/** The same kernels, but programs with `op` give what `instead` makes of each value. */
export function withOpcode(op: Program['instructions'][number]['op'], instead: (x: number) => number, dtype?: string): () => Backend {
  return withKernels((sound, backend) => ({
    pointwise(program, scalars, inputs, outputs) {
      sound.pointwise(program, scalars, inputs, outputs);
      if (!program.instructions.some((instruction) => instruction.op === op)) return;
      for (const output of outputs) if (dtype === undefined || output.dtype === dtype) alter(backend, output, instead);
    },
  }));
}

/** A view that runs through `dim` from its end. */
export const reversed = (view: View, dim: number): View => ({
  ...view,
  offset: view.offset + (view.shape[dim] - 1) * view.strides[dim],
  strides: view.strides.map((stride, d) => (d === dim ? -stride : stride)),
});

export type { View };
