/** @file Reductions, scans, products, look-ups and sorts that are wrong. */
import { alter, elements, type Faults, reversed, type View, withKernels } from './fault.js';

export const KERNEL_FAULTS: Faults = {
  'max loses NaN': {
    caughtBy: 'reduce/max/nan',
    make: withKernels((sound, backend) => ({
      reduce(kind, program, scalars, inputs, output, axes) {
        sound.reduce(kind, program, scalars, inputs, output, axes);
        if (kind === 'max') alter(backend, output, (x) => (x !== x ? 0 : x));
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
        const [, columns] = inputs[0].shape;
        if (x.length > 0)
          alter(backend, output, (place, [i]) => x.slice(i * columns, (i + 1) * columns).lastIndexOf(x[i * columns + place]));
      },
    })),
  },
  'sums are added up one by one in float32': {
    caughtBy: 'reduce/sum/long',
    make: withKernels((sound, backend) => ({
      reduce(kind, program, scalars, inputs, output, axes) {
        sound.reduce(kind, program, scalars, inputs, output, axes);
        if (kind !== 'sum' || inputs.length !== 1 || output.shape.some((size) => size !== 1) || program.instructions.length > 0) return;
        const sum = elements(backend, inputs[0]).reduce((a, b) => Math.fround(a + b), 0);
        alter(backend, output, () => sum);
      },
    })),
  },
  'the rest of a row behind the last whole block is left out': {
    caughtBy: 'reduce/sum/edge-2x129-axis-1',
    make: withKernels((sound) => ({
      reduce(kind, program, scalars, inputs, output, axes) {
        const cut = (view: View): View => {
          const size = view.shape.at(-1)!;
          return size > 128 ? { ...view, shape: [...view.shape.slice(0, -1), size - (size % 128)] } : view;
        };
        sound.reduce(kind, program, scalars, axes.at(-1) === inputs[0].shape.length - 1 ? inputs.map(cut) : inputs, output, axes);
      },
    })),
  },
  'running sums ignore their direction': {
    caughtBy: 'scan/sum/axis-1-reverse',
    make: withKernels((sound) => ({ scan: (kind, _reverse, input, output, axis) => sound.scan(kind, false, input, output, axis) })),
  },
  'a running maximum forgets NaN after its place': {
    caughtBy: 'scan/max/nan',
    make: withKernels((sound, backend) => ({
      scan(kind, reverse, input, output, axis) {
        sound.scan(kind, reverse, input, output, axis);
        if (kind !== 'max') return;
        const x = elements(backend, input);
        let place = 0;
        alter(backend, output, (y) => {
          const from = x[place++];
          return y !== y && from === from ? from : y;
        });
      },
    })),
  },
  'blocks of a long running sum start over': {
    caughtBy: 'scan/sum/size-257',
    make: withKernels((sound) => ({
      scan(kind, reverse, input, output, axis) {
        const size = input.shape[axis];
        if (size <= 256 || reverse) return sound.scan(kind, reverse, input, output, axis);
        const part = (view: View, from: number, to: number): View => ({
          ...view,
          offset: view.offset + from * view.strides[axis],
          shape: view.shape.map((s, d) => (d === axis ? to - from : s)),
        });
        for (let from = 0; from < size; from += 256) {
          const to = Math.min(size, from + 256);
          sound.scan(kind, reverse, part(input, from, to), part(output, from, to), axis);
        }
      },
    })),
  },
  'a matrix product drops the last column of a tile': {
    caughtBy: 'matmul/float32/1x63x65x64',
    make: withKernels((sound, backend) => ({
      matmul(a, b, out) {
        sound.matmul(a, b, out);
        if (out.shape[1] > 32 && out.shape[2] % 64 === 0) alter(backend, out, (x, [, , j]) => (j === out.shape[2] - 1 ? 0 : x));
      },
    })),
  },
  'a transposed operand is read row by row': {
    caughtBy: 'matmul/layout/contiguous-transposed',
    make: withKernels((sound) => ({
      matmul: (a, b, out) => sound.matmul(a, b.strides[1] === 2 ? { ...b, strides: [b.strides[0], b.shape[2], 1] } : b, out),
    })),
  },
  'a product is added to what was there': {
    caughtBy: 'matmul/twice',
    make: withKernels((sound, backend) => ({
      matmul(a, b, out) {
        const before = elements(backend, out);
        sound.matmul(a, b, out);
        let place = 0;
        alter(backend, out, (x) => x + before[place++]);
      },
    })),
  },
  'it writes beyond the view': {
    caughtBy: 'matmul/layout/out-stepped',
    make: withKernels((sound, backend) => ({
      matmul(a, b, out) {
        sound.matmul(a, b, out);
        if (out.offset > 0) alter(backend, { ...out, offset: out.offset - 1, shape: [1], strides: [1] }, () => 0);
      },
    })),
  },
  'a look-up forgets the offset of its table': {
    caughtBy: 'gather/dim-0/offset',
    make: withKernels((sound) => ({ gather: (input, indices, dim, out) => sound.gather({ ...input, offset: 0 }, indices, dim, out) })),
  },
  'a bad index is clamped': {
    caughtBy: 'gather/out-of-range/5',
    make: withKernels((sound, backend) => ({
      gather(input, indices, dim, out) {
        alter(backend, indices, (i) => Math.max(0, Math.min(input.shape[dim] - 1, i)));
        sound.gather(input, indices, dim, out);
      },
    })),
  },
  'scatter ignores duplicates': {
    caughtBy: 'scatter/add/same-target',
    make: withKernels((sound) => ({
      scatter: (kind, indices, source, dim, out) => sound.scatter(kind === 'add' ? 'set' : kind, indices, source, dim, out),
    })),
  },
  'sources race: sums come out in another order each time': {
    caughtBy: 'scatter/add/repeatable',
    make: withKernels((sound) => {
      let turn = 0;
      return {
        scatter: (kind, indices, source, dim, out) =>
          turn++ % 2 === 0
            ? sound.scatter(kind, indices, source, dim, out)
            : sound.scatter(kind, reversed(indices, dim), reversed(source, dim), dim, out),
      };
    }),
  },
  'the first of several sources wins': {
    caughtBy: 'scatter/set/same-target',
    make: withKernels((sound) => ({
      scatter: (kind, indices, source, dim, out) => sound.scatter(kind, reversed(indices, dim), reversed(source, dim), dim, out),
    })),
  },
  'sorting is not stable': {
    caughtBy: 'sort/descending/stable',
    make: withKernels((sound) => ({
      // The reverse of the ascending order: equal elements come out backwards.
      sort(input, dim, descending, values, indices) {
        if (descending) sound.sort(input, dim, false, reversed(values, dim), reversed(indices, dim));
        else sound.sort(input, dim, false, values, indices);
      },
    })),
  },
  'NaN is sorted as the smallest': {
    caughtBy: 'sort/ascending/nan',
    make: withKernels((sound, backend) => ({
      sort(input, dim, descending, values, indices) {
        const nans = elements(backend, input).some((x) => x !== x);
        if (nans) alter(backend, input, (x) => (x !== x ? -Infinity : x));
        sound.sort(input, dim, descending, values, indices);
      },
    })),
  },
};
