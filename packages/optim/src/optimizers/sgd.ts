/** @file Stochastic gradient descent, with momentum (Sutskever et al., 2013). PyTorch: torch.optim.SGD. */
import type { Tensor } from '@tessera/core';
import { Optimizer } from '../base/optimizer.js';
import type { FusedOption, ImplementationOptions } from '../base/options.js';
import type { Params } from '../base/param-groups.js';
import type { ParamState } from '../base/state-dict.js';
import { gradient, UpdateFamily } from '../base/update-family.js';

export interface SGDOptions extends ImplementationOptions, FusedOption {
  /** Learning rate. Default 1e-3. */
  lr: number;
  /** Factor of the running direction. Default 0: none is kept. */
  momentum: number;
  /** What is taken off the gradient's part in the running direction. Default 0. */
  dampening: number;
  /** Factor of the parameter that is added to its gradient. Default 0. */
  weightDecay: number;
  /** Look ahead along the running direction. Default false. */
  nesterov: boolean;
  /** Ascend. Default false. */
  maximize: boolean;
}

const plain = new UpdateFamily('sgd', ['maximize', 'l2'], 1, (e, on, [p, g], [lr, decay]) => [
  e.sub(p!, e.mul(lr!, gradient(e, on, g!, p!, decay!))),
]);
/** `first`: there is no running direction yet, and the gradient becomes it undamped. */
const withMomentum = new UpdateFamily(
  'sgd.momentum',
  ['maximize', 'l2', 'nesterov', 'first'],
  2,
  (e, on, [p, b, g], [lr, decay, momentum, undamped]) => {
    const d = gradient(e, on, g!, p!, decay!);
    const m = on.first ? d : e.add(e.mul(b!, momentum!), e.mul(d, undamped!));
    return [e.sub(p!, e.mul(lr!, on.nesterov ? e.add(d, e.mul(m, momentum!)) : m)), m];
  },
);

/**
 * p ← p − lr·d, where d is the gradient, or with momentum μ the running direction b ← μ·b + (1 − dampening)·g (with Nesterov's: g + μ·b).
 * State: `momentum_buffer`. PyTorch: optim.SGD.
 *
 * @throws ValueError `ERR_OPTIM_OPTION` for options out of range, `ERR_OPTIM_PARAMS` for parameters that cannot be optimised.
 * @example new SGD(model.parameters(), { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 5e-4 })
 */
export class SGD extends Optimizer<SGDOptions> {
  static override readonly typeName = 'SGD';

  constructor(params: Params<SGDOptions>, options: Partial<SGDOptions> = {}) {
    const defaults: SGDOptions = {
      lr: 1e-3,
      momentum: 0,
      dampening: 0,
      weightDecay: 0,
      nesterov: false,
      maximize: false,
      foreach: null,
      differentiable: false,
      fused: null,
    };
    super(params, defaults, options);
  }

  protected override check(o: SGDOptions): void {
    this.notNegative(
      ['Invalid learning rate', o.lr],
      ['Invalid momentum value', o.momentum],
      ['Invalid weight_decay value', o.weightDecay],
    );
    if (o.nesterov && (o.momentum <= 0 || o.dampening !== 0)) this.refuse('Nesterov momentum requires a momentum and zero dampening');
  }

  protected override get updatesApart(): boolean {
    return this.update === SGD.prototype.update;
  }

  protected override update(p: Tensor, grad: Tensor, state: ParamState, o: SGDOptions): void {
    const l2 = o.weightDecay !== 0;
    if (o.momentum === 0) {
      plain.pick(o.maximize, l2).run([p, grad], [o.lr, o.weightDecay]);
      return;
    }
    const first = (state['momentum_buffer'] ?? null) === null;
    if (first) state['momentum_buffer'] = this.zerosFor(p);
    withMomentum
      .pick(o.maximize, l2, o.nesterov, first)
      .run([p, state['momentum_buffer'] as Tensor, grad], [o.lr, o.weightDecay, o.momentum, 1 - o.dampening]);
  }
}
