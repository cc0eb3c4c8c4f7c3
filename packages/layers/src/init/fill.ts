/** @file Weights that are filled with constants, or with one distribution. All functions write in place, outside the graph, and answer the tensor. */
import { checkOptions, type OptionNames, type Generator, noGrad, ShapeError, type Tensor, ValueError } from '@tessera/core';

const INIT_OPTIONS: OptionNames<InitOptions> = { generator: true };

export interface InitOptions {
  /** Where random numbers come from. Default: the runtime's generator, which `manualSeed` seeds. */
  readonly generator?: Generator;
}

/** Uniform in [a, b). PyTorch: nn.init.uniform_. */
export function uniform_<T extends Tensor>(tensor: T, a = 0, b = 1, options: InitOptions = {}): T {
  checkOptions('uniform_', options, INIT_OPTIONS);
  noGrad(() => tensor.uniform_(a, b, options));
  return tensor;
}

/** PyTorch: nn.init.normal_. */
export function normal_<T extends Tensor>(tensor: T, mean = 0, std = 1, options: InitOptions = {}): T {
  checkOptions('normal_', options, INIT_OPTIONS);
  noGrad(() => tensor.normal_(mean, std, options));
  return tensor;
}

/** PyTorch: nn.init.constant_. */
export function constant_<T extends Tensor>(tensor: T, value: number): T {
  noGrad(() => tensor.fill_(value));
  return tensor;
}

/** PyTorch: nn.init.ones_. */
export const ones_ = <T extends Tensor>(tensor: T): T => constant_(tensor, 1);
/** PyTorch: nn.init.zeros_. */
export const zeros_ = <T extends Tensor>(tensor: T): T => constant_(tensor, 0);

/** Ones on the diagonal of a matrix, so that a layer begins as the identity. PyTorch: nn.init.eye_. @throws ShapeError `ERR_INIT_RANK`. */
export function eye_<T extends Tensor>(tensor: T): T {
  if (tensor.ndim !== 2)
    throw new ShapeError('ERR_INIT_RANK', 'eye_: Only tensors with 2 dimensions are supported', { shapes: [tensor.shape] });
  noGrad(() => {
    tensor.zero_();
    tensor.diagonal().fill_(1);
  });
  return tensor;
}

/**
 * Ones in the middle of the kernels from channel i to channel i of each group, so that a convolution begins as the identity. PyTorch: nn.init.dirac_.
 * @throws ShapeError `ERR_INIT_RANK`; ValueError `ERR_INIT_OPTION` where the groups do not divide dim 0.
 */
export function dirac_<T extends Tensor>(tensor: T, groups = 1): T {
  if (tensor.ndim < 3 || tensor.ndim > 5)
    throw new ShapeError('ERR_INIT_RANK', 'dirac_: Only tensors with 3, 4, or 5 dimensions are supported', { shapes: [tensor.shape] });
  const [out, input, ...kernel] = tensor.shape;
  if (out % groups !== 0) throw new ValueError('ERR_INIT_OPTION', 'dirac_: dim 0 must be divisible by groups', { shapes: [tensor.shape] });
  const perGroup = out / groups;
  noGrad(() => {
    tensor.zero_();
    for (let g = 0; g < groups; g++) {
      let square = tensor.narrow(0, g * perGroup, perGroup);
      for (const size of kernel) square = square.select(2, Math.floor(size / 2));
      square.narrow(0, 0, Math.min(perGroup, input)).diagonal().fill_(1);
    }
  });
  return tensor;
}
