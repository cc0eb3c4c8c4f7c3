/** @file RAdam: Adam that waits until its second moment is worth dividing by (Liu et al., 2019). PyTorch: torch.optim.RAdam. */
import type { Tensor } from '@tessera/core';
import { Optimizer } from '../base/optimizer.js';
import type { CapturableOption, ImplementationOptions } from '../base/options.js';
import type { Params } from '../base/param-groups.js';
import type { ParamState } from '../base/state-dict.js';
import { gradient, towards, UpdateFamily } from '../base/update-family.js';

export interface RAdamOptions extends ImplementationOptions, CapturableOption {
  /** Learning rate. Default 1e-3. */
  lr: number;
  /** Decay of the running mean of the gradient and of its square. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the root for stability. Default 1e-8. */
  eps: number;
  /** Default 0. */
  weightDecay: number;
  /** Shrink the parameter itself rather than add to its gradient. Default false. */
  decoupledWeightDecay: boolean;
  /** Ascend. Default false. */
  maximize: boolean;
}

/** Scalars: 1 − β1, β2, 1 − β2, 1 − β1ᵗ, lr, √(1 − β2ᵗ), the rectification, ε, weight decay, factor of the parameter. */
const radam = new UpdateFamily(
  'radam',
  ['maximize', 'l2', 'decoupled', 'adaptive'],
  3,
  (e, on, [p, m, v, g], [c1, b2, c2, correction, lr, root, rectification, eps, decay, shrink]) => {
    const d = gradient(e, on, g!, p!, decay!);
    const m1 = towards(e, m!, d, c1!);
    const v1 = e.add(e.mul(v!, b2!), e.mul(e.mul(d, d), c2!));
    const step = e.mul(e.div(m1, correction!), lr!);
    const from = on.decoupled ? e.mul(p!, shrink!) : p!;
    const scaled = on.adaptive ? e.mul(e.mul(step, e.div(root!, e.add(e.sqrt(v1), eps!))), rectification!) : step;
    return [e.sub(from, scaled), m1, v1];
  },
);

/**
 * Adam with a rectified step: while the length ρₜ of the second moment's average is at most 5 (the first steps), it goes by the mean of the
 * gradient alone. State: `step`, `exp_avg`, `exp_avg_sq`. PyTorch: optim.RAdam.
 *
 * @throws ValueError `ERR_OPTIM_OPTION`, `ERR_OPTIM_PARAMS`.
 * @example new RAdam(model.parameters(), { lr: 1e-3 })
 */
export class RAdam extends Optimizer<RAdamOptions> {
  static override readonly typeName = 'RAdam';
  static override readonly floatOptions: readonly string[] = ['lr', 'eps'];

  constructor(params: Params<RAdamOptions>, options: Partial<RAdamOptions> = {}) {
    const defaults: RAdamOptions = {
      lr: 1e-3,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      maximize: false,
      foreach: null,
      capturable: false,
      decoupledWeightDecay: false,
      differentiable: false,
    };
    super(params, defaults, options);
  }

  protected override check(o: RAdamOptions): void {
    this.notNegative(['Invalid learning rate', o.lr], ['Invalid epsilon value', o.eps]);
    this.checkBetas(o.betas);
    this.notNegative(['Invalid weight_decay value', o.weightDecay]);
  }

  protected override get updatesApart(): boolean {
    return this.update === RAdam.prototype.update;
  }

  protected override update(p: Tensor, grad: Tensor, state: ParamState, o: RAdamOptions): void {
    state['step'] ??= 0;
    state['exp_avg'] ??= this.zerosFor(p);
    state['exp_avg_sq'] ??= this.zerosFor(p);
    const t = (state['step'] = (state['step'] as number) + 1);
    const [b1, b2] = o.betas;
    const correction2 = 1 - b2 ** t;
    const longest = 2 / (1 - b2) - 1;
    const length = longest - (2 * t * b2 ** t) / correction2;
    const adaptive = length > 5;
    const rectification = adaptive ? Math.sqrt(((length - 4) * (length - 2) * longest) / ((longest - 4) * (longest - 2) * length)) : 1;
    const decay = o.weightDecay !== 0;
    const scalars = [
      1 - b1,
      b2,
      1 - b2,
      1 - b1 ** t,
      o.lr,
      Math.sqrt(correction2),
      rectification,
      o.eps,
      o.weightDecay,
      1 - o.lr * o.weightDecay,
    ];
    radam
      .pick(o.maximize, decay && !o.decoupledWeightDecay, decay && o.decoupledWeightDecay, adaptive)
      .run([p, state['exp_avg'] as Tensor, state['exp_avg_sq'] as Tensor, grad], scalars);
  }
}
