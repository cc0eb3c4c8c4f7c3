/**
 * @file A backend of the seven required kernels alone that writes down each call and holds its caller to the contract: what core hands to a kernel
 * that contract.ts does not allow is an offence, and so is the use of anything that is no part of the contract.
 */
import { CpuBackend, type CpuBuffer } from '@tessera/backend-cpu';
import type { Backend, DType, RequiredKernels, View } from '@tessera/core';
import { DTYPE_INFO, KERNEL_DTYPES, REDUCE_OUTPUT_DTYPES, SCATTER_REDUCE_DTYPES } from '@tessera/core';

type V = View<CpuBuffer>;

export interface Recording {
  readonly backend: Backend<CpuBuffer>;
  /** How often each method and kernel was called. */
  readonly calls: Map<string, number>;
  /** What core did that the contract does not allow, each kind once. */
  readonly offences: Set<string>;
}

/** Longer views are not compared element by element. */
const COMPARED = 20_000;
const sizeOf = (shape: readonly number[]): number => shape.reduce((n, s) => n * s, 1);
const same = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((v, i) => v === b[i]);

/** Where each element of a view lies, in row-major order. */
function placesOf({ shape, strides, offset }: V): number[] {
  return shape.reduce<number[]>(
    (all, size, d) => all.flatMap((at) => Array.from({ length: size }, (_, i) => at + i * strides[d])),
    [offset],
  );
}

/** As core makes them: dims ordered by stride, each stepping over all that is inside it. */
function overlapsItself({ shape, strides }: V): boolean {
  let reach = 0;
  for (const [stride, size] of strides.map((s, d) => [Math.abs(s), shape[d]] as const).toSorted(([a], [b]) => a - b)) {
    if (size > 1 && stride <= reach) return true;
    reach += stride * (size - 1);
  }
  return false;
}

const identical = (a: V, b: V): boolean =>
  a.buffer === b.buffer && a.offset === b.offset && same(a.shape, b.shape) && same(a.strides, b.strides);

/** Have two views no element in common? */
function apart(a: V, b: V): boolean {
  if (a.buffer !== b.buffer || sizeOf(a.shape) + sizeOf(b.shape) > COMPARED) return a.buffer !== b.buffer || !identical(a, b);
  const places = new Set(placesOf(b));
  return placesOf(a).every((place) => !places.has(place));
}

export function recordingBackend(id = 'recording'): Recording {
  const cpu = new CpuBackend();
  const calls = new Map<string, number>();
  const offences = new Set<string>();
  const live = new Set<CpuBuffer>();
  // Core may lean neither on a collector nor on generous limits.
  const capabilities = { ...cpu.capabilities, collected: false, maxBuffers: 8, maxInstructions: 40 };

  const count = (name: string): void => void calls.set(name, (calls.get(name) ?? 0) + 1);
  const demand = (holds: boolean, name: string, what: string): void => void (holds || offences.add(`${name}: ${what}`));
  const alive = (name: string, buffer: CpuBuffer): void =>
    demand(live.has(buffer), name, 'a buffer that was freed, or is not of this backend');

  function checkView(name: string, v: V): void {
    alive(name, v.buffer);
    demand(v.dtype === v.buffer.dtype, name, "a view whose dtype is not its buffer's");
    demand(v.shape.length >= 1 && v.shape.length === v.strides.length, name, 'a view without dims, or with strides for others');
    demand(
      [...v.shape, ...v.strides, v.offset].every((n) => Number.isInteger(n)),
      name,
      'sizes, strides or an offset that are no whole numbers',
    );
    demand(
      v.shape.every((s) => s > 0),
      name,
      'a launch without elements',
    );
    const low = v.shape.reduce((n, s, d) => n + Math.min(0, (s - 1) * v.strides[d]), v.offset);
    const high = v.shape.reduce((n, s, d) => n + Math.max(0, (s - 1) * v.strides[d]), v.offset);
    demand(low >= 0 && high < v.buffer.length, name, 'a view that reaches outside its buffer');
  }

  /** Outputs do not overlap themselves nor each other, and lie where an input lies or apart from it. */
  function checkOutputs(name: string, inputs: readonly V[], outputs: readonly V[], mayAlias: boolean): void {
    outputs.forEach((out, i) => {
      demand(!overlapsItself(out), name, 'an output that overlaps itself');
      for (const v of inputs) demand((mayAlias && identical(v, out)) || apart(v, out), name, 'an output that overlaps an input');
      for (const v of outputs.slice(i + 1)) demand(apart(v, out), name, 'two outputs that overlap');
    });
  }

  function check(name: keyof RequiredKernels, inputs: readonly V[], outputs: readonly V[], mayAlias = true): void {
    count(name);
    for (const v of [...inputs, ...outputs]) {
      checkView(name, v);
      demand(KERNEL_DTYPES[name].includes(v.dtype) || v.dtype === 'int32', name, `${v.dtype}, which it does not take`);
    }
    const buffers = new Set([...inputs, ...outputs].map((v) => v.buffer));
    demand(buffers.size <= capabilities.maxBuffers, name, 'more buffers than the backend allows');
    checkOutputs(name, inputs, outputs, mayAlias);
  }
  const shapes = (name: string, holds: boolean): void => demand(holds, name, 'shapes that do not fit');
  const axisOf = (v: V, axis: number): boolean => Number.isInteger(axis) && axis >= 0 && axis < v.shape.length;

  const kernels: RequiredKernels<CpuBuffer> = {
    pointwise(program, scalars, inputs, outputs) {
      check('pointwise', inputs, outputs);
      const { shape } = outputs[0];
      shapes(
        'pointwise',
        [...inputs, ...outputs].every((v) => same(v.shape, shape)),
      );
      const types = same([inputs.length, outputs.length], [program.inputs.length, program.outputs.length]);
      demand(types && inputs.every((v, i) => v.dtype === program.inputs[i]), 'pointwise', "inputs of other dtypes than the program's");
      demand(
        types && outputs.every((v, i) => v.dtype === program.outputs[i].dtype),
        'pointwise',
        "outputs of other dtypes than the program's",
      );
      demand(program.instructions.length <= capabilities.maxInstructions, 'pointwise', 'more instructions than the backend allows');
      demand(scalars.length >= program.scalars.length, 'pointwise', 'too few scalars');
      cpu.kernels.pointwise(program, scalars, inputs, outputs);
    },
    reduce(kind, program, scalars, inputs, output, axes) {
      check('reduce', inputs, [output], false);
      const { shape } = inputs[0];
      shapes(
        'reduce',
        inputs.every((v) => same(v.shape, shape)) &&
          axes.length > 0 &&
          axes.every((a, i) => axisOf(inputs[0], a) && (i === 0 || a > axes[i - 1])),
      );
      shapes(
        'reduce',
        same(
          output.shape,
          shape.map((s, d) => (axes.includes(d) ? 1 : s)),
        ),
      );
      const [{ dtype }] = program.outputs;
      demand(
        program.outputs.length === 1 && (REDUCE_OUTPUT_DTYPES as readonly DType[]).includes(dtype),
        'reduce',
        `a program that gives ${dtype}`,
      );
      demand(output.dtype === (kind === 'argmax' || kind === 'argmin' ? 'int32' : dtype), 'reduce', 'an output of another dtype');
      demand(dtype !== 'bool' || !(kind === 'sum' || kind === 'prod'), 'reduce', `${kind} of bool`);
      cpu.kernels.reduce(kind, program, scalars, inputs, output, axes);
    },
    scan(kind, reverse, input, output, axis) {
      check('scan', [input], [output]);
      shapes('scan', same(input.shape, output.shape) && axisOf(input, axis) && input.dtype === output.dtype);
      cpu.kernels.scan(kind, reverse, input, output, axis);
    },
    matmul(a, b, out) {
      check('matmul', [a, b], [out], false);
      const [B, M, K] = a.shape;
      shapes('matmul', a.shape.length === 3 && same(b.shape, [B, K, b.shape[2]]) && same(out.shape, [B, M, b.shape[2]]));
      cpu.kernels.matmul(a, b, out);
    },
    gather(input, indices, dim, out) {
      check('gather', [input, indices], [out], false);
      shapes('gather', indices.dtype === 'int32' && same(indices.shape, out.shape) && axisOf(input, dim) && input.dtype === out.dtype);
      shapes('gather', input.shape.length === out.shape.length && input.shape.every((s, d) => d === dim || s === out.shape[d]));
      cpu.kernels.gather(input, indices, dim, out);
    },
    scatter(kind, indices, source, dim, out) {
      check('scatter', [indices, source], [out], false);
      shapes('scatter', indices.dtype === 'int32' && same(indices.shape, source.shape) && axisOf(out, dim) && source.dtype === out.dtype);
      shapes('scatter', source.shape.length === out.shape.length && out.shape.every((s, d) => d === dim || s === source.shape[d]));
      demand(kind === 'set' || SCATTER_REDUCE_DTYPES.includes(out.dtype), 'scatter', `${kind} of ${out.dtype}`);
      cpu.kernels.scatter(kind, indices, source, dim, out);
    },
    sort(input, dim, descending, values, indices) {
      check('sort', [input], [values, indices], false);
      shapes(
        'sort',
        same(input.shape, values.shape) && same(input.shape, indices.shape) && axisOf(input, dim) && indices.dtype === 'int32',
      );
      cpu.kernels.sort(input, dim, descending, values, indices);
    },
  };

  const within = (name: string, buffer: CpuBuffer, offset: number, length: number): void => {
    count(name);
    alive(name, buffer);
    demand(offset >= 0 && length > 0 && offset + length <= buffer.length, name, 'elements outside the buffer, or none');
  };
  const methods: Backend<CpuBuffer> = {
    id,
    contractVersion: cpu.contractVersion,
    capabilities,
    kernels,
    allocate(dtype, length) {
      count('allocate');
      demand(Number.isInteger(length) && length > 0, 'allocate', `${length} elements`);
      const buffer = cpu.allocate(dtype, length);
      live.add(buffer);
      return buffer;
    },
    free(buffer) {
      count('free');
      alive('free', buffer);
      live.delete(buffer);
      cpu.free(buffer);
    },
    write(buffer, offset, bytes) {
      within('write', buffer, offset, bytes.length / DTYPE_INFO[buffer.dtype].size);
      cpu.write(buffer, offset, bytes);
    },
    read(buffer, offset, length) {
      within('read', buffer, offset, length);
      return cpu.read(buffer, offset, length);
    },
    readSync(buffer, offset, length) {
      within('readSync', buffer, offset, length);
      return cpu.readSync(buffer, offset, length);
    },
    synchronize: () => cpu.synchronize(),
    memory: () => cpu.memory(),
    dispose: () => cpu.dispose(),
  };
  const backend = new Proxy(methods, {
    get(target, name, receiver): unknown {
      // An await looks for `then`, and printing for symbols.
      demand(
        name in target || typeof name === 'symbol' || name === 'then',
        'backend',
        `'${String(name)}' was asked for, which the contract has not`,
      );
      return Reflect.get(target, name, receiver);
    },
  });
  return { backend, calls, offences };
}
