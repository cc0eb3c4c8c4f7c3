/** @file Patches of images as columns, and columns summed back into images: linear ops, each the other's gradient. PyTorch: aten's im2col, col2im. */
import type { Window } from '../../backend/contract.js';
import { numelOf, type Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { zerosOf } from '../fill.js';
import { OPS } from '../registry.js';
import { attach, recording } from '../result.js';
import { permute, reshape } from '../view.js';
import { outputSizes } from './geometry.js';
import { addWindows, windowsOf } from './windows.js';

OPS.set('im2col', { name: 'im2col', inputs: 1, differentiable: true });
/** The windows of x (N, C, …), each a column: (N, C · taps, positions). What F.unfold calls, which checks the arguments. */
export function im2col(x: Tensor, kernel: Shape, window: Window): Tensor {
  const { shape } = x;
  const sizes = outputSizes(shape.slice(2), kernel, window);
  const columns = [shape[0]!, shape[1]! * numelOf(kernel), numelOf(sizes)];
  const rank = kernel.length;
  const order = [0, 1, ...kernel.map((_, i) => 2 + rank + i), ...sizes.map((_, i) => 2 + i)];
  const plain = x.detach();
  const out =
    numelOf(columns) === 0 ? zerosOf(plain, columns) : reshape(permute(windowsOf(plain, kernel, sizes, window, 0), order), columns);
  if (recording(x)) attach(out, 'Im2ColBackward0', [x], (grad) => [col2im(grad, shape, kernel, window)]);
  return out;
}

OPS.set('col2im', { name: 'col2im', inputs: 1, differentiable: true });
/** Columns (N, C · taps, positions) added into an image of `shape` (N, C, …) where their windows lie. What F.fold calls. */
export function col2im(columns: Tensor, shape: Shape, kernel: Shape, window: Window): Tensor {
  const sizes = outputSizes(shape.slice(2), kernel, window);
  const plain = columns.detach();
  const windows = columns.numel() === 0 ? plain : reshape(plain, [shape[0]!, shape[1]!, ...kernel, ...sizes]);
  const out =
    columns.numel() === 0
      ? zerosOf(plain, shape)
      : addWindows(plain, shape, kernel, sizes, window, ({ offset, from, count }) => {
          let piece = windows;
          for (const at of offset) piece = piece.select(2, at);
          for (let i = 0; i < count.length; i++) piece = piece.narrow(2 + i, from[i]!, count[i]!);
          return piece;
        });
  if (recording(columns)) attach(out, 'Col2ImBackward0', [columns], (grad) => [im2col(grad, kernel, window)]);
  return out;
}
