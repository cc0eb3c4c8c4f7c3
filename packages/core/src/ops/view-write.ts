/** @file History when a view is written to: its base becomes the old base with the written part replaced. PyTorch: CopySlices. */
import { edgeOf } from '../autograd/edge.js';
import { GradNode } from '../autograd/node.js';
import type { Tensor } from '../tensor/tensor.js';
import { asStrided, asStridedGradient, clone } from './view.js';
import { zerosOf } from './fill.js';

/** Records that the view `x` now shows `out`. Called after the write. */
export function recordViewWrite(x: Tensor, out: Tensor): void {
  const base = x.viewOf!;
  const { shape, offset } = x;
  const strides = x.stride();
  const node = new GradNode(
    'CopySlices',
    (grad, n) => {
      // Gradients are laid out as the base is; its storage geometry is found in a row-major copy of them.
      const whole = clone(grad);
      const part = base.ownStrides === null ? asStrided(whole, shape, strides, offset) : null;
      const piece = part ?? asStrided(asStridedGradient(base, base.shape, base.stride(), base.offset)(grad), shape, strides, offset);
      const forValue = n.needs(1) ? clone(piece) : null;
      if (!n.needs(0)) return [null, forValue];
      if (part !== null) part.copy_(zerosOf(grad, shape));
      return [part !== null ? whole : grad, forValue];
    },
    [edgeOf(base), edgeOf(out)],
  );
  base.setGradFn(node);
  // The view itself finds its new history when it is asked for, since its version differs.
}
