/** @file Adadelta (Zeiler, 2012). PyTorch: torch.optim.Adadelta. */
import type { Tensor } from '@tessera/core';
import { Optimizer } from '../base/optimizer.js';
import type { CapturableOption, ImplementationOptions } from '../base/options.js';
import type { Params } from '../base/param-groups.js';
import type { ParamState } from '../base/state-dict.js';
import { gradient, UpdateFamily } from '../base/update-family.js';

export interface AdadeltaOptions extends ImplementationOptions, CapturableOption {
  /** Factor of the step. Default 1. */
  lr: number;
  /** Decay of the running means of the squares, in [0, 1]. Default 0.9. */
  rho: number;
  /** Added under both roots. Default 1e-6. */
  eps: number;
  /** Factor of the parameter that is added to its gradient. Default 0. */
  weightDecay: number;
  /** Ascend. Default false. */
  maximize: boolean;
}

/** Scalars: ρ, 1 − ρ, ε, lr, weight decay. */
const adadelta = new UpdateFamily('adadelta', ['maximize', 'l2'], 3, (e, on, [p, v, a, g], [rho, rest, eps, lr, decay]) => {
  const d = gradient(e, on, g!, p!, decay!);
  const v1 = e.add(e.mul(v!, rho!), e.mul(e.mul(d, d), rest!));
  const delta = e.mul(e.div(e.sqrt(e.add(a!, eps!)), e.sqrt(e.add(v1, eps!))), d);
  return [e.sub(p!, e.mul(lr!, delta)), v1, e.add(e.mul(a!, rho!), e.mul(e.mul(delta, delta), rest!))];
});

/**
 * p ← p − lr·Δ, Δ = √(a + ε) / √(v + ε) · g, with running means v of g² and a of Δ². State: `step`, `square_avg`, `acc_delta`.
 * PyTorch: optim.Adadelta.
 *
 * @throws ValueError `ERR_OPTIM_OPTION`, `ERR_OPTIM_PARAMS`.
 * @example new Adadelta(model.parameters(), { rho: 0.95 })
 */
export class Adadelta extends Optimizer<AdadeltaOptions> {
  static override readonly typeName = 'Adadelta';
  static override readonly floatOptions: readonly string[] = ['lr', 'eps'];

  constructor(params: Params<AdadeltaOptions>, options: Partial<AdadeltaOptions> = {}) {
    const defaults: AdadeltaOptions = {
      lr: 1,
      rho: 0.9,
      eps: 1e-6,
      weightDecay: 0,
      maximize: false,
      capturable: false,
      foreach: null,
      differentiable: false,
    };
    super(params, defaults, options);
  }

  protected override check(o: AdadeltaOptions): void {
    this.notNegative(['Invalid learning rate', o.lr]);
    if (!(o.rho >= 0 && o.rho <= 1)) this.refuse(`Invalid rho value: ${o.rho}`);
    this.notNegative(['Invalid epsilon value', o.eps], ['Invalid weight_decay value', o.weightDecay]);
  }

  protected override get updatesApart(): boolean {
    return this.update === Adadelta.prototype.update;
  }

  protected override update(p: Tensor, grad: Tensor, state: ParamState, o: AdadeltaOptions): void {
    state['step'] = ((state['step'] as number | undefined) ?? 0) + 1;
    state['square_avg'] ??= this.zerosFor(p);
    state['acc_delta'] ??= this.zerosFor(p);
    adadelta
      .pick(o.maximize, o.weightDecay !== 0)
      .run([p, state['square_avg'] as Tensor, state['acc_delta'] as Tensor, grad], [o.rho, 1 - o.rho, o.eps, o.lr, o.weightDecay]);
  }
}
