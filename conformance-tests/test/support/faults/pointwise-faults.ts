/** @file Pointwise kernels that are wrong: strides, offsets, rounding, what they may not touch. */
import { type Backend, makeProgram, type Program, type View } from '@tessera/core';
import { alter, elements, type Faults, withKernels, withOpcode } from './fault.js';

/** Inputs changed before the kernel sees them. */
const withInputs = (change: (view: View) => View): (() => Backend) =>
  withKernels((sound) => ({
    pointwise: (program, scalars, inputs, outputs) => sound.pointwise(program, scalars, inputs.map(change), outputs),
  }));

export const POINTWISE_FAULTS: Faults = {
  'a strided input is read one element further': {
    caughtBy: 'pointwise/float32/copy-stepped',
    make: withInputs((view) =>
      view.strides.at(-1)! > 1 && view.offset + 1 < view.buffer.length ? { ...view, offset: view.offset + 1 } : view,
    ),
  },
  'an offset is lost': {
    caughtBy: 'pointwise/float32/copy-offset',
    make: withInputs((view) => ({ ...view, offset: view.strides.every((stride) => stride > 0) ? 0 : view.offset })),
  },
  'a negative stride is taken as positive': {
    caughtBy: 'pointwise/float32/copy-reversed',
    make: withInputs((view) =>
      view.strides.some((stride) => stride < 0) && view.shape.length === 3
        ? { ...view, strides: view.strides.map(Math.abs), offset: 0 }
        : view,
    ),
  },
  'a broadcast input is read as if it had all elements': {
    caughtBy: 'pointwise/inputs/broadcast-0',
    make: withInputs((view) => {
      if (view.shape.length !== 3 || view.strides[0] !== 0 || view.buffer.length < 5) return view;
      return { ...view, strides: [1, ...view.strides.slice(1)] };
    }),
  },
  'the last elements of a block are left out': {
    caughtBy: 'pointwise/size/257',
    make: withKernels((sound, backend) => ({
      pointwise(program, scalars, inputs, outputs) {
        sound.pointwise(program, scalars, inputs, outputs);
        const [size] = outputs[0].shape;
        if (outputs[0].shape.length === 1 && size > 256 && size % 256 === 1)
          alter(backend, outputs[0], (x, [i]) => (i === size - 1 ? 0 : x));
      },
    })),
  },
  'scalars are compiled into the program': {
    caughtBy: 'pointwise/scalars',
    make: withKernels((sound) => {
      const seen = new Map<Program, readonly number[]>();
      return {
        pointwise(program, scalars, inputs, outputs) {
          const first = seen.get(program) ?? Array.from(scalars);
          seen.set(program, first);
          sound.pointwise(program, first, inputs, outputs);
        },
      };
    }),
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
  'only the first output is written': {
    caughtBy: 'pointwise/float32/two-outputs',
    make: withKernels((sound, backend) => ({
      pointwise(program, scalars, inputs, outputs) {
        const second = outputs.length > 1 ? elements(backend, outputs[1]) : [];
        sound.pointwise(program, scalars, inputs, outputs);
        let place = 0;
        if (outputs.length > 1) alter(backend, outputs[1], () => second[place++]);
      },
    })),
  },
  'exp is of low precision': { caughtBy: 'opcode.exp/float32', make: withOpcode('exp', (x) => x * (1 + 1e-5)) },
  'halves are cut off in place of rounded': {
    caughtBy: 'opcode.toFloat16/float32',
    make: withOpcode('toFloat16', (x) => (x === 0 || !Number.isFinite(x) ? x : x * (1 - 2 ** -11))),
  },
  'a cast to integers rounds to the nearest': {
    caughtBy: 'opcode.cast/float32-to-int32',
    make: withKernels((sound, backend) => ({
      pointwise(program, scalars, inputs, outputs) {
        sound.pointwise(program, scalars, inputs, outputs);
        const [{ op, dtype } = { op: 'copy', dtype: 'bool' }] = program.instructions;
        if (op !== 'cast' || dtype !== 'int32' || inputs[0].dtype !== 'float32') return;
        const from = elements(backend, inputs[0]);
        let place = 0;
        alter(backend, outputs[0], (x) => {
          const exact = from[place++];
          return Math.abs(exact) < 1e6 ? Math.round(exact) : x;
        });
      },
    })),
  },
  'a cast to integers wraps in place of saturating': {
    caughtBy: 'opcode.cast/float32-to-int32',
    make: withOpcode('cast', (x) => (Math.abs(x) >= 2147483647 ? 0 : x), 'int32'),
  },
  'an integer product loses its low bits': { caughtBy: 'opcode.mul/int32', make: withOpcode('mul', (x) => Math.fround(x) | 0, 'int32') },
  'min loses NaN': { caughtBy: 'opcode.min/float32', make: withOpcode('min', (x) => (x !== x ? 0 : x)) },
  'a kernel keeps its scratch': {
    caughtBy: 'pointwise/no-inputs',
    make: withKernels((sound, backend) => {
      const scratch: unknown[] = [];
      return {
        pointwise(program, scalars, inputs, outputs) {
          scratch.push(backend.allocate('float32', 8));
          sound.pointwise(program, scalars, inputs, outputs);
        },
      };
    }),
  },
  'the index is counted along another dim': {
    caughtBy: 'opcode.index/int32',
    make: withKernels((sound) => ({
      pointwise(program, scalars, inputs, outputs) {
        const turned = program.instructions.map((one) => (one.op === 'index' ? { ...one, dim: 0 } : one));
        sound.pointwise(makeProgram({ ...program, instructions: turned }), scalars, inputs, outputs);
      },
    })),
  },
};
