/** @file NAdam: Adam with Nesterov's momentum (Dozat, 2016). PyTorch: torch.optim.NAdam. */
import type { Tensor } from '@tessera/core';
import { Optimizer } from '../base/optimizer.js';
import type { CapturableOption, ImplementationOptions } from '../base/options.js';
import type { Params } from '../base/param-groups.js';
import type { ParamState } from '../base/state-dict.js';
import { gradient, towards, UpdateFamily } from '../base/update-family.js';

export interface NAdamOptions extends ImplementationOptions, CapturableOption {
  /** Learning rate. Default 2e-3. */
  lr: number;
  /** Decay of the running mean of the gradient and of its square. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the root for stability. Default 1e-8. */
  eps: number;
  /** Default 0. */
  weightDecay: number;
  /** How fast the momentum grows towards β1. Default 4e-3. */
  momentumDecay: number;
  /** Shrink the parameter itself rather than add to its gradient (NAdamW). Default false. */
  decoupledWeightDecay: boolean;
  /** Ascend. Default false. */
  maximize: boolean;
}

/** Scalars: 1 − β1, β2, 1 − β2, 1 − β2ᵗ, factors of the gradient and of its mean, ε, weight decay, factor of the parameter. */
const nadam = new UpdateFamily(
  'nadam',
  ['maximize', 'l2', 'decoupled'],
  3,
  (e, on, [p, m, v, g], [c1, b2, c2, correction, ofGradient, ofMean, eps, decay, shrink]) => {
    const d = gradient(e, on, g!, p!, decay!);
    const m1 = towards(e, m!, d, c1!);
    const v1 = e.add(e.mul(v!, b2!), e.mul(e.mul(d, d), c2!));
    const root = e.add(e.sqrt(e.div(v1, correction!)), eps!);
    const from = on.decoupled ? e.mul(p!, shrink!) : p!;
    return [e.sub(e.sub(from, e.mul(ofGradient!, e.div(d, root))), e.mul(ofMean!, e.div(m1, root))), m1, v1];
  },
);

/**
 * Adam whose step goes by the momentum of the next step: μₜ = β1·(1 − 0.96^(t·ψ) / 2), with ψ the momentum decay.
 * State: `step`, `mu_product` (∏ μ, a float32 as in PyTorch), `exp_avg`, `exp_avg_sq`. PyTorch: optim.NAdam.
 *
 * @throws ValueError `ERR_OPTIM_OPTION`, `ERR_OPTIM_PARAMS`.
 * @example new NAdam(model.parameters(), { lr: 2e-3, decoupledWeightDecay: true, weightDecay: 0.01 })
 */
export class NAdam extends Optimizer<NAdamOptions> {
  static override readonly typeName = 'NAdam';
  static override readonly hostState: readonly string[] = ['step', 'mu_product'];
  static override readonly floatOptions: readonly string[] = ['lr', 'eps'];

  constructor(params: Params<NAdamOptions>, options: Partial<NAdamOptions> = {}) {
    const defaults: NAdamOptions = {
      lr: 2e-3,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      momentumDecay: 4e-3,
      decoupledWeightDecay: false,
      maximize: false,
      foreach: null,
      capturable: false,
      differentiable: false,
    };
    super(params, defaults, options);
  }

  protected override check(o: NAdamOptions): void {
    this.notNegative(['Invalid learning rate', o.lr], ['Invalid epsilon value', o.eps]);
    this.checkBetas(o.betas);
    this.notNegative(['Invalid weight_decay value', o.weightDecay], ['Invalid momentum_decay value', o.momentumDecay]);
  }

  protected override get updatesApart(): boolean {
    return this.update === NAdam.prototype.update;
  }

  protected override update(p: Tensor, grad: Tensor, state: ParamState, o: NAdamOptions): void {
    state['step'] ??= 0;
    state['mu_product'] ??= 1;
    state['exp_avg'] ??= this.zerosFor(p);
    state['exp_avg_sq'] ??= this.zerosFor(p);
    const t = (state['step'] = (state['step'] as number) + 1);
    const [b1, b2] = o.betas;
    const mu = b1 * (1 - 0.5 * 0.96 ** (t * o.momentumDecay));
    const next = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * o.momentumDecay));
    const product = (state['mu_product'] = Math.fround((state['mu_product'] as number) * Math.fround(mu)));
    const decay = o.weightDecay !== 0;
    const scalars = [
      1 - b1,
      b2,
      1 - b2,
      1 - b2 ** t,
      (o.lr * (1 - mu)) / (1 - product),
      (o.lr * next) / (1 - product * next),
      o.eps,
      o.weightDecay,
      1 - o.lr * o.weightDecay,
    ];
    nadam
      .pick(o.maximize, decay && !o.decoupledWeightDecay, decay && o.decoupledWeightDecay)
      .run([p, state['exp_avg'] as Tensor, state['exp_avg_sq'] as Tensor, grad], scalars);
  }
}
