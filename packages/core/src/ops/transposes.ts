/** @file The transposes that PyTorch has as attributes: x.T, x.mT, x.H, x.mH. */
import { ShapeError } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { permute, transpose } from './view.js';

/** The last two dims exchanged. */
export function matrixTranspose(name: string, x: Tensor): Tensor {
  if (x.ndim < 2)
    throw new ShapeError(
      'ERR_RANK',
      `${name}: tensor.${name} is only supported on matrices or batches of matrices. Got ${x.ndim}-D tensor.`,
      { op: name, shapes: [x.shape] },
    );
  return transpose(x, -2, -1);
}

function adjointMatrix(name: string, x: Tensor): Tensor {
  if (x.ndim !== 2 && x.ndim !== 0)
    throw new ShapeError(
      'ERR_RANK',
      `${name}: tensor.${name} is only supported on matrices (2-D tensors). Got ${x.ndim}-D tensor.${x.ndim === 1 ? '' : ` For batches of matrices, consider using tensor.m${name}`}`,
      { op: name, shapes: [x.shape] },
    );
  return x.ndim === 0 ? x : transpose(x, 0, 1);
}

export interface Transposes {
  /** All dims in reverse order. PyTorch: Tensor.T. */
  readonly T: Tensor;
  /** The last two dims exchanged. PyTorch: Tensor.mT. */
  readonly mT: Tensor;
  /** The transpose of a matrix. PyTorch: Tensor.H. */
  readonly H: Tensor;
  /** The last two dims exchanged. PyTorch: Tensor.mH. */
  readonly mH: Tensor;
}

const getters: { readonly [K in keyof Transposes]: (x: Tensor) => Tensor } = {
  T: (x) =>
    permute(
      x,
      x.shape.map((_, d) => x.ndim - 1 - d),
    ),
  mT: (x) => matrixTranspose('mT', x),
  H: (x) => adjointMatrix('H', x),
  mH: (x) => matrixTranspose('mH', x),
};
for (const [name, get] of Object.entries(getters)) {
  Object.defineProperty(Tensor.prototype, name, {
    get(this: Tensor): Tensor {
      return get(this);
    },
    configurable: true,
    enumerable: false,
  });
}
