/** @file Indexing by values: masks and where they hold. */
import { type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { HostArray } from '../tensor/host.js';
import { fromHost } from './creation.js';

/** The places of the elements that are not 0, in row-major order, as (count, rank) int32. */
function placesOf(data: HostArray, shape: Shape, x: Tensor): Tensor {
  const rank = shape.length;
  const places: number[] = [];
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 0) continue;
    const start = places.length;
    for (let d = rank - 1, rest = i; d >= 0; d--) {
      places[start + d] = rest % shape[d]!;
      rest = Math.floor(rest / shape[d]!);
    }
  }
  const count = rank === 0 ? Number(data[0] !== 0) : places.length / rank;
  return fromHost(places, [count, rank], 'int32', x.device);
}

/**
 * The places of the elements that are not 0, a row of indices for each. Reads the elements; `nonzeroAsync` works on every device. PyTorch: torch.nonzero.
 * @throws NotSupportedError `ERR_SYNC_READ`.
 */
export const nonzero = (x: Tensor): Tensor => placesOf(x.detach().data(), x.shape, x);
export const nonzeroAsync = async (x: Tensor): Promise<Tensor> => placesOf(await x.detach().dataAsync(), x.shape, x);
