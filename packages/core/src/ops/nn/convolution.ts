/**
 * @file Convolution as one trilinear form T(input, weight, gradOut): its three partial results are the convolution, its gradient by the
 * input (which is the transposed convolution) and its gradient by the weight. Each is an op whose own gradients are the other two, so any
 * order of derivatives comes out of these three.
 */
import type { Window } from '../../backend/contract.js';
import { DeviceError } from '../../errors.js';
import { DTYPE_INFO } from '../../tensor/dtype.js';
import { sameShape, type Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { cast } from '../cast.js';
import { OPS } from '../registry.js';
import { attach, recording } from '../result.js';
import { launchConvolution, launchInputGrad, launchWeightGrad } from './convolution-launch.js';

OPS.set('convolution', { name: 'convolution', inputs: 3, differentiable: true });

/** Computes halves in float32. */
function widened(op: (...wide: Tensor[]) => Tensor, ...given: Tensor[]): Tensor | null {
  const { dtype } = given[0]!;
  const { compute } = DTYPE_INFO[dtype];
  if (compute === dtype || compute === 'bool') return null;
  return cast(op(...given.map((t) => cast(t, compute))), dtype);
}

function requireOneDevice(x: Tensor, ...others: readonly (Tensor | null)[]): void {
  for (const t of others) {
    if (t !== null && t.device !== x.device)
      throw new DeviceError(
        'ERR_DEVICE_MIX',
        `convolution: Expected all tensors to be on the same device, but found ${x.device.id} and ${t.device.id}`,
        { op: 'convolution', shapes: [x.shape, t.shape] },
      );
  }
}

/** out[n][o] = bias[o] + Σ input[n][c] ⋆ weight[o][c]: input (N, C, …), weight (O, C/groups, …). Shapes are checked by the callers. */
export function convolution(input: Tensor, weight: Tensor, bias: Tensor | null, w: Window, groups: number): Tensor {
  requireOneDevice(input, weight, bias);
  const wide =
    bias === null
      ? widened((x, k) => convolution(x!, k!, null, w, groups), input, weight)
      : widened((x, k, b) => convolution(x!, k!, b!, w, groups), input, weight, bias);
  if (wide !== null) return wide;
  const out = launchConvolution(input.detach(), weight.detach(), bias === null ? null : bias.detach(), w, groups);
  if (recording(input, weight, bias)) {
    const inputShape = input.shape;
    const weightShape = weight.shape;
    const node = attach(out, 'ConvolutionBackward0', [input, weight, bias], (grad, n) => [
      n.needs(0) ? convolutionInputGrad(grad, n.saved(n.needs(1) ? 1 : 0), inputShape, w, groups) : null,
      n.needs(1) ? convolutionWeightGrad(n.saved(0), grad, weightShape, w, groups) : null,
      n.needs(2) ? grad.sum(grad.shape.map((_, d) => d).filter((d) => d !== 1)) : null,
    ]);
    node.save(...(node.needs(1) ? [input] : []), ...(node.needs(0) ? [weight] : []));
  }
  return out;
}

/** The gradient of {@link convolution} by its input of `inputShape`: the transposed convolution of `gradOut` (N, O, …). */
export function convolutionInputGrad(gradOut: Tensor, weight: Tensor, inputShape: Shape, w: Window, groups: number): Tensor {
  requireOneDevice(gradOut, weight);
  const wide = widened((g, k) => convolutionInputGrad(g!, k!, inputShape, w, groups), gradOut, weight);
  if (wide !== null) return wide;
  const out = launchInputGrad(gradOut.detach(), weight.detach(), inputShape, w, groups);
  if (recording(gradOut, weight)) {
    const weightShape = weight.shape;
    const gradShape = gradOut.shape;
    const node = attach(out, 'ConvolutionInputGradBackward0', [gradOut, weight], (grad, n) => [
      n.needs(0) ? cropped(convolution(grad, n.saved(n.needs(1) ? 1 : 0), null, w, groups), gradShape) : null,
      n.needs(1) ? convolutionWeightGrad(grad, n.saved(0), weightShape, w, groups) : null,
    ]);
    node.save(...(node.needs(1) ? [gradOut] : []), ...(node.needs(0) ? [weight] : []));
  }
  return out;
}

/** The gradient of {@link convolution} by its weight of `weightShape`. */
export function convolutionWeightGrad(input: Tensor, gradOut: Tensor, weightShape: Shape, w: Window, groups: number): Tensor {
  requireOneDevice(input, gradOut);
  const wide = widened((x, g) => convolutionWeightGrad(x!, g!, weightShape, w, groups), input, gradOut);
  if (wide !== null) return wide;
  const out = launchWeightGrad(input.detach(), gradOut.detach(), weightShape, w, groups);
  if (recording(input, gradOut)) {
    const inputShape = input.shape;
    const gradShape = gradOut.shape;
    const node = attach(out, 'ConvolutionWeightGradBackward0', [input, gradOut], (grad, n) => [
      n.needs(0) ? convolutionInputGrad(n.saved(n.needs(1) ? 1 : 0), grad, inputShape, w, groups) : null,
      n.needs(1) ? cropped(convolution(n.saved(0), grad, null, w, groups), gradShape) : null,
    ]);
    node.save(...(node.needs(1) ? [input] : []), ...(node.needs(0) ? [gradOut] : []));
  }
  return out;
}

/** A transposed convolution may have fewer positions than the convolution over its output would (an output padding past the stride). */
function cropped(out: Tensor, shape: Shape): Tensor {
  if (sameShape(out.shape, shape)) return out;
  let part = out;
  for (let d = 2; d < shape.length; d++) part = part.narrow(d, 0, shape[d]!);
  return part;
}
