/** @file Adamax: Adam with the infinity norm (Kingma and Ba, 2014, section 7). PyTorch: torch.optim.Adamax. */
import type { Tensor } from '@tessera/core';
import { Optimizer } from '../base/optimizer.js';
import type { CapturableOption, ImplementationOptions } from '../base/options.js';
import type { Params } from '../base/param-groups.js';
import type { ParamState } from '../base/state-dict.js';
import { gradient, towards, UpdateFamily } from '../base/update-family.js';

export interface AdamaxOptions extends ImplementationOptions, CapturableOption {
  /** Learning rate. Default 2e-3. */
  lr: number;
  /** Decay of the running mean of the gradient, and of its running largest size. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the gradient's size. Default 1e-8. */
  eps: number;
  /** Factor of the parameter that is added to its gradient. Default 0. */
  weightDecay: number;
  /** Ascend. Default false. */
  maximize: boolean;
}

/** Scalars: 1 − β1, β2, step size, ε, weight decay. */
const adamax = new UpdateFamily('adamax', ['maximize', 'l2'], 3, (e, on, [p, m, u, g], [c1, b2, step, eps, decay]) => {
  const d = gradient(e, on, g!, p!, decay!);
  const m1 = towards(e, m!, d, c1!);
  const u1 = e.max(e.mul(u!, b2!), e.add(e.abs(d), eps!));
  return [e.sub(p!, e.mul(step!, e.div(m1, u1))), m1, u1];
});

/**
 * p ← p − lr / (1 − β1ᵗ) · m / u, where u ← max(β2·u, |g| + ε). State: `step`, `exp_avg`, `exp_inf`. PyTorch: optim.Adamax.
 * @throws ValueError `ERR_OPTIM_OPTION`, `ERR_OPTIM_PARAMS`.
 * @example new Adamax(model.parameters(), { lr: 2e-3 })
 */
export class Adamax extends Optimizer<AdamaxOptions> {
  static override readonly typeName = 'Adamax';
  static override readonly floatOptions: readonly string[] = ['lr', 'eps'];

  constructor(params: Params<AdamaxOptions>, options: Partial<AdamaxOptions> = {}) {
    const defaults: AdamaxOptions = {
      lr: 2e-3,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      foreach: null,
      maximize: false,
      differentiable: false,
      capturable: false,
    };
    super(params, defaults, options);
  }

  protected override check(o: AdamaxOptions): void {
    this.notNegative(['Invalid learning rate', o.lr], ['Invalid epsilon value', o.eps]);
    this.checkBetas(o.betas);
    this.notNegative(['Invalid weight_decay value', o.weightDecay]);
  }

  protected override get updatesApart(): boolean {
    return this.update === Adamax.prototype.update;
  }

  protected override update(p: Tensor, grad: Tensor, state: ParamState, o: AdamaxOptions): void {
    state['step'] ??= 0;
    state['exp_avg'] ??= this.zerosFor(p);
    state['exp_inf'] ??= this.zerosFor(p);
    const t = (state['step'] = (state['step'] as number) + 1);
    const [b1, b2] = o.betas;
    adamax
      .pick(o.maximize, o.weightDecay !== 0)
      .run([p, state['exp_avg'] as Tensor, state['exp_inf'] as Tensor, grad], [1 - b1, b2, o.lr / (1 - b1 ** t), o.eps, o.weightDecay]);
  }
}
