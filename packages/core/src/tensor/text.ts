/** @file What a tensor is as text, where PyTorch's print is not there (print.ts, which ops/methods.ts puts in its place). */
import type { Tensor } from './tensor.js';

/** With more elements than this, none are shown. */
const FEW = 100;

export const texts: { format: (t: Tensor) => string } = {
  format: (t) => {
    const shown = t.numel() <= FEW && t.device.syncRead ? JSON.stringify(t.toArray()) : '...';
    return `tensor(${shown}, shape=[${t.shape.join(', ')}], dtype=${t.dtype}, device='${t.device.id}')`;
  },
};
