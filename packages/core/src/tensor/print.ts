/** @file Printing a tensor as PyTorch does. PyTorch: torch/_tensor_str.py. */
import type { Tensor } from './tensor.js';

/** Placeholder until the printing options land. */
export function formatTensor(t: Tensor): string {
  return `tensor(${JSON.stringify(t.detach().toArray())})`;
}
