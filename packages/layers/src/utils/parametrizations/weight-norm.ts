/** @file Weights as a length and a direction. */
import { Module, type Tensor } from '@tessera/core';
import { registerParametrization } from '../parametrize/parametrize.js';

/** The norm over all dims but one, which it keeps; over all dims for null. PyTorch: norm_except_dim. */
export function normExceptDim(v: Tensor, dim: number | null): Tensor {
  if (dim === null || dim === -1) return v.norm();
  const d = dim < 0 ? dim + v.ndim : dim;
  const others = v.shape.map((_, i) => i).filter((i) => i !== d);
  return others.length === 0 ? v.abs() : v.norm(2, others, { keepdim: true });
}

class WeightNorm extends Module {
  static override readonly typeName = '_WeightNorm';

  constructor(readonly dim: number | null) {
    super();
  }

  forward(g: Tensor, v: Tensor): Tensor {
    return v.mul(g.div(normExceptDim(v, this.dim)));
  }

  rightInverse(weight: Tensor): [Tensor, Tensor] {
    return [normExceptDim(weight, this.dim), weight];
  }
}

/**
 * w = g · v / ‖v‖: a weight is learnt as its norms `parametrizations.weight.original0` and its directions `original1` (Salimans and Kingma,
 * 2016). Norms are taken over all dims but `dim`; null for one norm. A state_dict with the older keys `weight_g` and `weight_v` loads too.
 * PyTorch: nn.utils.parametrizations.weight_norm.
 * @example nn.utils.parametrizations.weightNorm(new nn.Linear(20, 40))
 */
export function weightNorm<M extends Module>(module: M, name = 'weight', dim: number | null = 0): M {
  registerParametrization(module, name, new WeightNorm(dim), { unsafe: true });
  module.registerLoadStateDictPreHook((_module, state, prefix) => {
    for (const [i, letter] of ['g', 'v'].entries()) {
      const old = state.get(`${prefix}${name}_${letter}`);
      if (old === undefined) continue;
      state.delete(`${prefix}${name}_${letter}`);
      state.set(`${prefix}parametrizations.${name}.original${i}`, old);
    }
  });
  return module;
}
