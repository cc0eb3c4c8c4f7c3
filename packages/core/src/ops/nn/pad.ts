/** @file Padding with a constant. The other ways of padding are compositions (see F.pad). */
import { ShapeError, ValueError } from '../../errors.js';
import { kindOf } from '../../options.js';
import { DTYPE_INFO } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { copy_ } from '../copy.js';
import { filled } from '../fill.js';
import { OPS } from '../registry.js';
import { attach, recording } from '../result.js';
import { clone, narrow } from '../view.js';

OPS.set('constantPadNd', { name: 'constantPadNd', inputs: 1, differentiable: true });
/**
 * `x` with `value` around it. `pad` has two numbers a dim, from the last dim on: [left, right, top, bottom, …]; negative ones cut off.
 * PyTorch: torch.constant_pad_nd.
 *
 * @throws ValueError `ERR_PAD`, ShapeError `ERR_PAD_SHAPE` where cutting leaves a negative size.
 * @example constantPadNd(tensor([[1, 2]]), [1, 0, 0, 1]) // [[0, 1, 2], [0, 0, 0]]
 */
export function constantPadNd(x: Tensor, pad: readonly number[], value: number | boolean = 0): Tensor {
  const op = 'constantPadNd';
  if (!Array.isArray(pad))
    throw new ValueError('ERR_PAD', `${op}: pad must be an array with two numbers a dim, such as [1, 1], not ${kindOf(pad)}`, { op });
  if (pad.length % 2 !== 0)
    throw new ValueError('ERR_PAD', `${op}: Length of pad must be even but instead it equals ${pad.length}`, { op });
  if (pad.length > 2 * x.ndim) {
    throw new ValueError(
      'ERR_PAD',
      `${op}: Length of pad should be no more than twice the number of dimensions of the input. Pad length is ${pad.length} while the input has ${x.ndim} dimensions.`,
      { op, shapes: [x.shape] },
    );
  }
  for (const p of pad)
    if (!Number.isInteger(p)) throw new ValueError('ERR_PAD', `${op}: padding must be whole numbers, but is [${pad.join(', ')}]`, { op });
  const out = constantPad(x.detach(), pad, value);
  if (recording(x))
    attach(out, 'ConstantPadNdBackward0', [x], (grad) => [
      constantPadNd(
        grad,
        pad.map((p) => -p),
      ),
    ]);
  return out;
}

/** The same without checks and history. */
export function constantPad(x: Tensor, pad: readonly number[], value: number | boolean): Tensor {
  const shape = [...x.shape];
  let source = x;
  let grows = false;
  const starts = new Array<number>(x.ndim).fill(0);
  for (let i = 0; 2 * i < pad.length; i++) {
    const d = x.ndim - 1 - i;
    const left = pad[2 * i]!;
    const right = pad[2 * i + 1]!;
    shape[d] = x.shape[d]! + left + right;
    if (shape[d]! < 0) {
      throw new ShapeError(
        'ERR_PAD_SHAPE',
        `constantPadNd: The input size ${x.shape[d]}, plus negative padding ${left} and ${right} resulted in a negative output size, which is invalid. Check dimension ${d} of your input.`,
        { op: 'constantPadNd', shapes: [x.shape] },
      );
    }
    if (left > 0 || right > 0) grows = true;
    if (left < 0 || right < 0) {
      const start = Math.max(0, -left);
      source = narrow(source, d, Math.min(start, x.shape[d]!), Math.max(0, x.shape[d]! - start - Math.max(0, -right)));
    }
    starts[d] = Math.max(0, left);
  }
  if (!grows) return clone(source);
  const fill = DTYPE_INFO[x.dtype].category === 'bool' ? Boolean(value) : value;
  const out = filled(shape, fill, x.dtype, x.device);
  let middle = out;
  for (let d = 0; d < x.ndim; d++) if (source.shape[d] !== shape[d]) middle = narrow(middle, d, starts[d]!, source.shape[d]!);
  if (source.numel() > 0) copy_(middle, source);
  return out;
}
