/**
 * @file Lazy layers: the sizes of the input are taken from the first one that comes. A lazy layer is a subclass of the layer that it will be;
 * its parameters are there from the start, without a shape, and with the first input the object becomes one of the plain class.
 * PyTorch: nn.modules.lazy.LazyModuleMixin.
 */
import { isUninitialized, type Module, ShapeError, type Shape, type Tensor, typeNameOf } from '@tessera/core';

/** Has it parameters or buffers without a shape? PyTorch: has_uninitialized_params. */
export const hasUninitializedParams = (module: Module): boolean =>
  [...module.parameters(false), ...module.buffers(false)].some((t) => isUninitialized(t));

/** Gives a parameter or buffer its shape, if it has none. */
export function materialize(tensor: Tensor | null, shape: Shape): void {
  if (isUninitialized(tensor)) tensor.materialize(shape);
}

/** The object is of the plain class from now on: its forward, its text. */
export function becomePlain(module: Module, plain: { readonly prototype: object }): void {
  Object.setPrototypeOf(module, plain.prototype);
}

/** The channels of an input with or without a batch. @throws ShapeError `ERR_RANK` */
export function channelsOf(module: Module, input: Tensor, spatialDims: number): number {
  const rank = input.ndim;
  if (rank !== spatialDims + 1 && rank !== spatialDims + 2) {
    const name = typeNameOf(module);
    throw new ShapeError(
      'ERR_RANK',
      `${name}: Expected ${spatialDims + 1}D (unbatched) or ${spatialDims + 2}D (batched) input, but got input of size: [${input.shape.join(', ')}]`,
      {
        op: name,
        shapes: [input.shape],
      },
    );
  }
  return input.shape[rank - spatialDims - 1]!;
}
