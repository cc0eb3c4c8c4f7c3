/** @file Cross entropy of rows of logits with class indices, and its gradient. Sums are made in float64. */
import { type AcceleratedKernels, IndexError, type TypedArray, type View } from '@tessera/core/backend';
import type { CpuBuffer } from '../memory/cpu-buffer.js';
import { exp as exp32 } from '../scalar/float32-math.js';
import { floats, start } from './vectors.js';

type Kernels = Required<AcceleratedKernels<CpuBuffer>>;

/** @throws IndexError `ERR_INDEX_RANGE` for a target that is no class and not the ignored one. */
function checkTargets(op: string, targets: View<CpuBuffer>, classes: number, ignored: number): void {
  const { data } = targets.buffer;
  const [count] = targets.shape;
  for (let i = 0, at = start(targets); i < count; i++, at += targets.strides[0]) {
    const index = data[at];
    if ((index >= 0 && index < classes) || index === ignored) continue;
    throw new IndexError('ERR_INDEX_RANGE', `${op}: target ${index} at [${i}] is out of range for ${classes} classes`, {
      op,
      device: 'cpu',
      index,
      size: classes,
      dim: 1,
      position: [i],
    });
  }
}

/** logsumexp(x) − x[target], and the logsumexp: m + ln Σ e^(x − m) with the row's maximum m. */
export const crossEntropy: Kernels['crossEntropy'] = (logits, targets, losses, logsumexp, ignoreIndex) => {
  if (!floats(logits.dtype, losses, logsumexp) || targets.dtype !== 'int32') return false;
  const [rows, classes] = logits.shape;
  checkTargets('crossEntropy', targets, classes, ignoreIndex);
  const x = logits.buffer.data;
  const fast = logits.dtype === 'float32';
  const step = logits.strides[1];
  for (let i = 0; i < rows; i++) {
    const at = start(logits) + i * logits.strides[0];
    let m = -Infinity;
    for (let j = 0, p = at; j < classes; j++, p += step) m = Math.max(m, x[p]);
    const total = m + Math.log(fast ? sumOfExponentials(x, at, step, classes, m) : preciseSumOfExponentials(x, at, step, classes, m));
    const target = targets.buffer.data[start(targets) + i * targets.strides[0]];
    logsumexp.buffer.data[start(logsumexp) + i * logsumexp.strides[0]] = total;
    losses.buffer.data[start(losses) + i * losses.strides[0]] = target === ignoreIndex ? 0 : total - x[at + target * step];
  }
  return true;
};

function sumOfExponentials(x: TypedArray, at: number, step: number, count: number, m: number): number {
  let sum = 0;
  for (let j = 0; j < count; j++, at += step) sum += exp32(x[at] - m);
  return sum;
}

function preciseSumOfExponentials(x: TypedArray, at: number, step: number, count: number, m: number): number {
  let sum = 0;
  for (let j = 0; j < count; j++, at += step) sum += Math.exp(x[at] - m);
  return sum;
}

/** g · (e^(x − logsumexp) − [class is the target]), and 0 in ignored rows. */
export const crossEntropyGrad: Kernels['crossEntropyGrad'] = (gradLosses, logits, targets, logsumexp, gradLogits, ignoreIndex) => {
  if (!floats(logits.dtype, gradLosses, logsumexp, gradLogits) || targets.dtype !== 'int32') return false;
  const [rows, classes] = logits.shape;
  checkTargets('crossEntropyGrad', targets, classes, ignoreIndex);
  const x = logits.buffer.data;
  const out = gradLogits.buffer.data;
  const fast = logits.dtype === 'float32';
  const [stepX, stepOut] = [logits.strides[1], gradLogits.strides[1]];
  const row = new Float64Array(classes);
  for (let i = 0; i < rows; i++) {
    const target = targets.buffer.data[start(targets) + i * targets.strides[0]];
    const to = start(gradLogits) + i * gradLogits.strides[0];
    if (target === ignoreIndex) {
      for (let j = 0, q = to; j < classes; j++, q += stepOut) out[q] = 0;
      continue;
    }
    const at = start(logits) + i * logits.strides[0];
    const g = gradLosses.buffer.data[start(gradLosses) + i * gradLosses.strides[0]];
    // Normalized anew: the stored logsumexp was rounded, which would put all of a row off in the same direction.
    let m = -Infinity;
    for (let j = 0, p = at; j < classes; j++, p += stepX) m = Math.max(m, x[p]);
    let others = 0;
    for (let j = 0, p = at; j < classes; j++, p += stepX) {
      const e = fast ? exp32(x[p] - m) : Math.exp(x[p] - m);
      row[j] = e;
      if (j !== target) others += e;
    }
    const scale = g / (others + row[target]!);
    for (let j = 0, q = to; j < classes; j++, q += stepOut) out[q] = row[j]! * scale;
    // p − 1 is what the other classes have, without a difference of near numbers.
    out[to + target * stepOut] = -others * scale;
  }
  return true;
};
