/** @file Adam (Kingma and Ba, 2014), AMSGrad (Reddi et al., 2018), and AdamW (Loshchilov and Hutter, 2017). PyTorch: torch.optim.Adam, AdamW. */
import type { Tensor } from '@tessera/core';
import { Optimizer } from '../base/optimizer.js';
import { type CapturableOption, type FusedOption, type ImplementationOptions, requireOptions } from '../base/options.js';
import type { Params } from '../base/param-groups.js';
import type { ParamState } from '../base/state-dict.js';
import { gradient, towards, UpdateFamily } from '../base/update-family.js';

export interface AdamOptions extends ImplementationOptions, CapturableOption, FusedOption {
  /** Learning rate. Default 1e-3. */
  lr: number;
  /** Decay of the running mean of the gradient and of its square. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the root for stability. Default 1e-8. */
  eps: number;
  /** Default 0 (AdamW: 1e-2). */
  weightDecay: number;
  /** Divide by the largest second moment so far. Default false. */
  amsgrad: boolean;
  /** Ascend. Default false. */
  maximize: boolean;
  /** Shrink the parameter itself rather than add to its gradient (AdamW). Default false. */
  decoupledWeightDecay: boolean;
}

/** Scalars: 1 − β1, β2, 1 − β2, step size, √(1 − β2ᵗ), ε, weight decay, factor of the parameter. The largest moment comes before the gradient. */
const adam = new UpdateFamily(
  'adam',
  ['maximize', 'l2', 'decoupled', 'amsgrad'],
  (on) => (on.amsgrad ? 4 : 3),
  (e, on, tensors, [c1, b2, c2, step, root, eps, decay, shrink]) => {
    const [p, m, v] = tensors;
    const d = gradient(e, on, tensors.at(-1)!, p!, decay!);
    const m1 = towards(e, m!, d, c1!);
    const v1 = e.add(e.mul(v!, b2!), e.mul(e.mul(d, d), c2!));
    const largest = on.amsgrad ? e.max(tensors[3]!, v1) : v1;
    const from = on.decoupled ? e.mul(p!, shrink!) : p!;
    const next = e.sub(from, e.div(e.mul(step!, m1), e.add(e.div(e.sqrt(largest), root!), eps!)));
    return on.amsgrad ? [next, m1, v1, largest] : [next, m1, v1];
  },
);

/**
 * p ← p − lr·m̂ / (√v̂ + ε), with running means m of the gradient and v of its square, both without their bias towards zero.
 * State: `step`, `exp_avg`, `exp_avg_sq`, and `max_exp_avg_sq` with amsgrad. PyTorch: optim.Adam.
 *
 * @throws ValueError `ERR_OPTIM_OPTION`, `ERR_OPTIM_PARAMS`.
 * @example new Adam(model.parameters(), { lr: 1e-3 })
 */
export class Adam extends Optimizer<AdamOptions> {
  static override readonly typeName: string = 'Adam';
  static override readonly floatOptions: readonly string[] = ['lr', 'eps'];

  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions> = {}) {
    const defaults: AdamOptions = {
      lr: 1e-3,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      amsgrad: false,
      maximize: false,
      foreach: null,
      capturable: false,
      differentiable: false,
      fused: null,
      decoupledWeightDecay: false,
    };
    super(params, defaults, options);
  }

  protected override check(o: AdamOptions): void {
    this.notNegative(['Invalid learning rate', o.lr], ['Invalid epsilon value', o.eps]);
    this.checkBetas(o.betas);
    this.notNegative(['Invalid weight_decay value', o.weightDecay]);
  }

  protected override get updatesApart(): boolean {
    return this.update === Adam.prototype.update;
  }

  protected override update(p: Tensor, grad: Tensor, state: ParamState, o: AdamOptions): void {
    state['step'] ??= 0;
    state['exp_avg'] ??= this.zerosFor(p);
    state['exp_avg_sq'] ??= this.zerosFor(p);
    if (o.amsgrad) state['max_exp_avg_sq'] ??= this.zerosFor(p);
    const t = (state['step'] = (state['step'] as number) + 1);
    const [b1, b2] = o.betas;
    const decay = o.weightDecay !== 0;
    const tensors = [p, state['exp_avg'] as Tensor, state['exp_avg_sq'] as Tensor];
    if (o.amsgrad) tensors.push(state['max_exp_avg_sq'] as Tensor);
    tensors.push(grad);
    adam
      .pick(o.maximize, decay && !o.decoupledWeightDecay, decay && o.decoupledWeightDecay, o.amsgrad)
      .run(tensors, [1 - b1, b2, 1 - b2, o.lr / (1 - b1 ** t), Math.sqrt(1 - b2 ** t), o.eps, o.weightDecay, 1 - o.lr * o.weightDecay]);
  }
}

/**
 * Adam with decoupled weight decay (1e-2 by default): p is multiplied by 1 − lr·λ, and the moments know nothing of it. PyTorch: optim.AdamW.
 * @example new AdamW(model.parameters(), { lr: 3e-4, weightDecay: 0.1 })
 */
export class AdamW extends Adam {
  static override readonly typeName: string = 'AdamW';
  static override readonly floatOptions: readonly string[] = ['lr', 'eps', 'weightDecay'];

  constructor(params: Params<AdamOptions>, options: Partial<Omit<AdamOptions, 'decoupledWeightDecay'>> = {}) {
    requireOptions('AdamW', options);
    super(params, { ...options, weightDecay: options.weightDecay ?? 1e-2, decoupledWeightDecay: true });
  }
}
