/** @file Tensors with the dtype and device of another one. PyTorch: Tensor.new_zeros and its kin. */
import type { Tensor } from '../tensor/tensor.js';
import { arange, full, tensor, type TensorData, type TensorOptions } from './creation.js';

const as = (x: Tensor, options: TensorOptions): TensorOptions => ({ dtype: x.dtype, device: x.device, ...options });

/** PyTorch: Tensor.new_zeros. */
export const newZeros = (x: Tensor, size: readonly number[], options: TensorOptions = {}): Tensor => full(size, 0, as(x, options));
/** PyTorch: Tensor.new_ones. */
export const newOnes = (x: Tensor, size: readonly number[], options: TensorOptions = {}): Tensor => full(size, 1, as(x, options));
/** PyTorch: Tensor.new_full. */
export const newFull = (x: Tensor, size: readonly number[], value: number | boolean, options: TensorOptions = {}): Tensor =>
  full(size, value, as(x, options));
/** PyTorch: Tensor.new_empty. */
export const newEmpty = (x: Tensor, size: readonly number[], options: TensorOptions = {}): Tensor => full(size, 0, as(x, options));
/** PyTorch: Tensor.new_tensor. */
export const newTensor = (x: Tensor, data: TensorData, options: TensorOptions = {}): Tensor => tensor(data, as(x, options));
/** 0 … n − 1 (int32) on the same device. */
export const newArange = (x: Tensor, n: number): Tensor => arange(n, { device: x.device });
