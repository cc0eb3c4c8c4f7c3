/** @file The scan kernel: running sum, prod, max, min and logsumexp along one dim. Floats run in float64 and are rounded as they are stored. */
import { checkKernelDType, mergeDims, type ScanKind, type TypedArray, ValueError, type View, walkRows } from '@tessera/core/backend';
import type { CpuBuffer } from '../memory/cpu-buffer.js';

/** One line: `count` elements, from `a` and `o` on, `stepIn` and `stepOut` apart. */
type ScanLine = (x: TypedArray, a: number, stepIn: number, y: TypedArray, o: number, stepOut: number, count: number) => void;

/** The part that rounding takes from the running sum is carried along (Knuth's two-sum), which float64 needs. */
const sum: ScanLine = (x, a, stepIn, y, o, stepOut, count) => {
  let acc = 0;
  let lost = 0;
  for (let j = 0; j < count; j++, a += stepIn, o += stepOut) {
    const v = x[a];
    const t = acc + v;
    const z = t - acc;
    lost += acc - (t - z) + (v - z);
    acc = t;
    y[o] = acc - acc === 0 ? acc + lost : acc;
  }
};

const prod: ScanLine = (x, a, stepIn, y, o, stepOut, count) => {
  let acc = 1;
  for (let j = 0; j < count; j++, a += stepIn, o += stepOut) y[o] = acc *= x[a];
};

const intSum: ScanLine = (x, a, stepIn, y, o, stepOut, count) => {
  let acc = 0;
  for (let j = 0; j < count; j++, a += stepIn, o += stepOut) y[o] = acc = (acc + x[a]) | 0;
};

const intProd: ScanLine = (x, a, stepIn, y, o, stepOut, count) => {
  let acc = 1;
  for (let j = 0; j < count; j++, a += stepIn, o += stepOut) y[o] = acc = Math.imul(acc, x[a]);
};

const max: ScanLine = (x, a, stepIn, y, o, stepOut, count) => {
  let acc = -Infinity;
  for (let j = 0; j < count; j++, a += stepIn, o += stepOut) y[o] = acc = Math.max(acc, x[a]);
};

const min: ScanLine = (x, a, stepIn, y, o, stepOut, count) => {
  let acc = Infinity;
  for (let j = 0; j < count; j++, a += stepIn, o += stepOut) y[o] = acc = Math.min(acc, x[a]);
};

/** ln Σ e^x, as m + ln Σ e^(x − m) with the running maximum m. */
const logsumexp: ScanLine = (x, a, stepIn, y, o, stepOut, count) => {
  let m = -Infinity;
  let scaled = 0;
  for (let j = 0; j < count; j++, a += stepIn, o += stepOut) {
    const v = x[a];
    if (v <= m) scaled += v === m ? 1 : Math.exp(v - m);
    else {
      scaled = scaled * Math.exp(m - v) + 1;
      m = v;
    }
    y[o] = scaled !== scaled ? NaN : m === -Infinity || m === Infinity ? m : m + Math.log(scaled);
  }
};

const FLOAT: Readonly<Record<ScanKind, ScanLine | null>> = { sum, prod, max, min, logsumexp };
const INT: Readonly<Record<ScanKind, ScanLine | null>> = { sum: intSum, prod: intProd, max, min, logsumexp: null };

export function scan(kind: ScanKind, reverse: boolean, input: View<CpuBuffer>, output: View<CpuBuffer>, axis: number): void {
  checkKernelDType('cpu', 'scan', input.dtype);
  const line = (input.dtype === 'int32' ? INT : FLOAT)[kind];
  if (line === null)
    throw new ValueError('ERR_SCAN_KIND', `scan: ${kind} of ${input.dtype} is not defined`, {
      op: 'scan',
      dtypes: [input.dtype],
      device: 'cpu',
    });
  const count = input.shape[axis];
  const lines = mergeDims(
    input.shape.map((n, d) => (d === axis ? 1 : n)),
    [input.strides, output.strides],
  );
  const last = lines.shape.length - 1;
  const sign = reverse ? -1 : 1;
  const stepIn = input.strides[axis] * sign;
  const stepOut = output.strides[axis] * sign;
  const far = reverse ? count - 1 : 0;
  const start = [
    input.buffer.base + input.offset + far * input.strides[axis],
    output.buffer.base + output.offset + far * output.strides[axis],
  ];
  walkRows(lines, start, ([a, o]) => {
    for (let j = 0; j < lines.shape[last]; j++)
      line(input.buffer.data, a + j * lines.strides[0][last], stepIn, output.buffer.data, o + j * lines.strides[1][last], stepOut, count);
  });
}
