/** @file Averaged stochastic gradient descent (Polyak and Juditsky, 1992). PyTorch: torch.optim.ASGD. */
import type { Tensor } from '@tessera/core';
import { Optimizer } from '../base/optimizer.js';
import type { CapturableOption, ImplementationOptions } from '../base/options.js';
import type { Params } from '../base/param-groups.js';
import type { ParamState } from '../base/state-dict.js';
import { gradient, towards, UpdateFamily } from '../base/update-family.js';

export interface ASGDOptions extends ImplementationOptions, CapturableOption {
  /** Learning rate of the first step. Default 1e-2. */
  lr: number;
  /** How fast the parameter shrinks. Default 1e-4. */
  lambd: number;
  /** Power by which the learning rate falls. Default 0.75. */
  alpha: number;
  /** The step at which averaging starts. Default 1e6. */
  t0: number;
  /** Factor of the parameter that is added to its gradient. Default 0. */
  weightDecay: number;
  /** Ascend. Default false. */
  maximize: boolean;
}

/** Scalars: 1 − λη, η, weight decay, μ. */
const asgd = new UpdateFamily('asgd', ['maximize', 'l2', 'averages'], 2, (e, on, [p, ax, g], [shrink, eta, decay, mu]) => {
  const p1 = e.sub(e.mul(p!, shrink!), e.mul(eta!, gradient(e, on, g!, p!, decay!)));
  return [p1, on.averages ? towards(e, ax!, p1, mu!) : p1];
});

/**
 * p ← (1 − λη)·p − η·g, with η falling as lr / (1 + λ·lr·t)^α; from step t0 on, `ax` is the mean of the parameters.
 * State: `step`, `eta`, `mu` (float32s as in PyTorch), `ax`. PyTorch: optim.ASGD.
 *
 * @throws ValueError `ERR_OPTIM_OPTION`, `ERR_OPTIM_PARAMS`.
 * @example
 * const optimizer = new ASGD(model.parameters(), { t0: 1000 });
 * const averaged = optimizer.state.get(model.fc.weight)?.['ax'];
 */
export class ASGD extends Optimizer<ASGDOptions> {
  static override readonly typeName = 'ASGD';
  static override readonly hostState: readonly string[] = ['step', 'eta', 'mu'];
  static override readonly floatOptions: readonly string[] = ['lr', 't0'];

  constructor(params: Params<ASGDOptions>, options: Partial<ASGDOptions> = {}) {
    const defaults: ASGDOptions = {
      lr: 1e-2,
      lambd: 1e-4,
      alpha: 0.75,
      t0: 1e6,
      weightDecay: 0,
      foreach: null,
      maximize: false,
      differentiable: false,
      capturable: false,
    };
    super(params, defaults, options);
  }

  protected override check(o: ASGDOptions): void {
    this.notNegative(['Invalid learning rate', o.lr], ['Invalid weight_decay value', o.weightDecay]);
  }

  protected override get updatesApart(): boolean {
    return this.update === ASGD.prototype.update;
  }

  protected override update(p: Tensor, grad: Tensor, state: ParamState, o: ASGDOptions): void {
    state['eta'] ??= Math.fround(o.lr);
    state['mu'] ??= 1;
    state['ax'] ??= this.zerosFor(p);
    const t = (state['step'] = ((state['step'] as number | undefined) ?? 0) + 1);
    const eta = state['eta'] as number;
    const mu = state['mu'] as number;
    asgd.pick(o.maximize, o.weightDecay !== 0, mu !== 1).run([p, state['ax'] as Tensor, grad], [1 - o.lambd * eta, eta, o.weightDecay, mu]);
    state['eta'] = Math.fround(o.lr / (1 + o.lambd * o.lr * t) ** o.alpha);
    state['mu'] = Math.fround(1 / Math.max(1, t - o.t0));
  }
}
