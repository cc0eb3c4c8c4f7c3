/** @file All parameters as one vector, and back. */
import { cat, noGrad, ShapeError, type Tensor } from '@tessera/core';

/** The elements of all parameters, one after the other; differentiable. PyTorch: nn.utils.parameters_to_vector. */
export function parametersToVector(parameters: Iterable<Tensor>): Tensor {
  return cat(
    [...parameters].map((p) => p.reshape([p.numel()])),
    0,
  );
}

/**
 * Writes a vector's elements into the parameters. PyTorch: nn.utils.vector_to_parameters, which makes them views of the vector; here they
 * keep their own memory.
 * @throws ShapeError `ERR_VECTOR_SIZE` where the sizes differ.
 */
export function vectorToParameters(vector: Tensor, parameters: Iterable<Tensor>): void {
  const list = [...parameters];
  const total = list.reduce((sum, p) => sum + p.numel(), 0);
  if (vector.ndim !== 1 || vector.numel() !== total) {
    throw new ShapeError(
      'ERR_VECTOR_SIZE',
      `vectorToParameters: the parameters have ${total} elements, and the vector is (${vector.shape.join(', ')})`,
      {
        op: 'vectorToParameters',
        shapes: [vector.shape],
      },
    );
  }
  noGrad(() => {
    let at = 0;
    for (const p of list) {
      p.copy_(vector.narrow(0, at, p.numel()).reshape(p.shape));
      at += p.numel();
    }
  });
}
