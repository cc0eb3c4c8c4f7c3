/** @file A device's kernels with a clock around each: put in their place while a profiler runs, so that nothing is asked when none does. */
import type { Backend, View } from '../backend/contract.js';
import type { Program } from '../backend/program.js';
import type { Device } from '../plugin/device.js';

/** Who wants to know of a kernel. */
export interface KernelListener {
  begin(): void;
  /** `declined`: an accelerated kernel that answered false, and did nothing. */
  end(device: Device, kernel: string, views: readonly View[], declined: boolean): void;
}

type Kernel = (...args: unknown[]) => unknown;

const isView = (x: unknown): x is View => typeof x === 'object' && x !== null && 'buffer' in x && 'strides' in x;

/** The views among a kernel's arguments, in order. */
function viewsIn(args: readonly unknown[]): View[] {
  return args.flatMap((a) => (isView(a) ? [a] : Array.isArray(a) ? viewsIn(a) : []));
}

const names = new WeakMap<Program, string>();
const QUIET = new Set(['copy', 'cast', 'index']);

/** What a program does, such as `mul·add·relu`: its opcodes, without repetitions in a row. */
function programName(program: Program): string {
  let name = names.get(program);
  if (name === undefined) {
    const ops = program.instructions.map((i) => i.op as string);
    const loud = ops.filter((op) => !QUIET.has(op));
    const shown = (loud.length > 0 ? loud : ops.length > 0 ? ops : ['copy']).filter((op, i, all) => op !== all[i - 1]);
    name = shown.length > 8 ? `${shown.slice(0, 8).join('·')}…` : shown.join('·');
    names.set(program, name);
  }
  return name;
}

/** A kernel's name with what its arguments say of it. */
function nameOf(key: string, args: readonly unknown[]): string {
  if (key === 'pointwise') return `pointwise ${programName(args[0] as Program)}`;
  if (key === 'reduce') {
    const program = args[1] as Program;
    return program.instructions.length === 0 ? `reduce ${args[0] as string}` : `reduce ${args[0] as string} of ${programName(program)}`;
  }
  if (key === 'pointwiseEach') return `pointwise ${programName(args[0] as Program)}`;
  if (key === 'matmulPointwise') return `matmul and ${programName(args[3] as Program)}`;
  if (key === 'convolutionPointwise') return `convolution and ${programName(args[5] as Program)}`;
  return key === 'scan' || key === 'scatter' ? `${key} ${args[0] as string}` : key;
}

/** The kernels of `device`, each telling `listener` when it begins and ends. Those that a backend does not have are missing here too. */
export function measuredKernels(device: Device, kernels: Backend['kernels'], listener: KernelListener): Backend['kernels'] {
  const known = new Map<string | symbol, Kernel>();
  const measured =
    (key: string, kernel: Kernel): Kernel =>
    (...args) => {
      listener.begin();
      let declined = true;
      try {
        const result = kernel.apply(kernels, args);
        declined = result === false;
        return result;
      } finally {
        listener.end(device, nameOf(key, args), viewsIn(args), declined);
      }
    };
  return new Proxy(kernels, {
    get(target, key) {
      const kernel = Reflect.get(target, key) as unknown;
      if (typeof kernel !== 'function' || typeof key !== 'string') return kernel;
      let found = known.get(key);
      if (found === undefined) known.set(key, (found = measured(key, kernel as Kernel)));
      return found;
    },
  });
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** Floating point operations (two for a multiply-add) of the kernels whose shapes tell them; 0 for all others. */
export function flopsOf(kernel: string, views: readonly View[]): number {
  const shape = (i: number): readonly number[] => views[i]!.shape;
  switch (kernel.split(' and ')[0]) {
    case 'matmul':
      return 2 * product(shape(0)) * shape(1)[2]!;
    case 'linear':
      return 2 * product(shape(0)) * shape(1)[0]!;
    case 'convolution':
      // Each output is a sum over a filter.
      return 2 * product(views.at(-1)!.shape) * product(shape(1).slice(1));
    case 'convolutionInputGrad':
      return 2 * product(shape(0)) * product(shape(1).slice(1));
    case 'convolutionWeightGrad':
      return 2 * product(shape(1)) * product(shape(2).slice(1));
    default:
      return 0;
  }
}
