/** @file Adam (Kingma and Ba, 2014), AMSGrad (Reddi et al., 2018), and AdamW (Loshchilov and Hutter, 2017). PyTorch: torch.optim.Adam, AdamW. */
import { type Tensor, Update } from '@tessera/core';
import { Optimizer, type Params, type ParamState } from './optimizer.js';

export interface AdamOptions {
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

/** Scalars: 1 − β1, β2, 1 − β2, step size, √(1 − β2ᵗ), ε, weight decay in the gradient, factor of the parameter, the gradient's sign. */
const adam = new Update('adam', 3, (e, [p, m, v, g], [c1, b2, c2, step, root, eps, decay, shrink, sign]) => {
  const d = e.add(e.mul(g!, sign!), e.mul(p!, decay!));
  const m1 = e.add(m!, e.mul(c1!, e.sub(d, m!)));
  const v1 = e.add(e.mul(v!, b2!), e.mul(e.mul(d, d), c2!));
  return [e.sub(e.mul(p!, shrink!), e.div(e.mul(step!, m1), e.add(e.div(e.sqrt(v1), root!), eps!))), m1, v1];
});
const amsgrad = new Update('adam.amsgrad', 4, (e, [p, m, v, w, g], [c1, b2, c2, step, root, eps, decay, shrink, sign]) => {
  const d = e.add(e.mul(g!, sign!), e.mul(p!, decay!));
  const m1 = e.add(m!, e.mul(c1!, e.sub(d, m!)));
  const v1 = e.add(e.mul(v!, b2!), e.mul(e.mul(d, d), c2!));
  const w1 = e.max(w!, v1);
  return [e.sub(e.mul(p!, shrink!), e.div(e.mul(step!, m1), e.add(e.div(e.sqrt(w1), root!), eps!))), m1, v1, w1];
});

/** @example new Adam(model.parameters(), { lr: 1e-3 }) */
export class Adam extends Optimizer<AdamOptions> {
  static override readonly typeName: string = 'Adam';

  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, {
      lr: 1e-3,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      amsgrad: false,
      maximize: false,
      decoupledWeightDecay: false,
      ...options,
    });
  }

  protected override check(o: AdamOptions): void {
    if (!(o.lr >= 0)) this.invalid('learning rate', o.lr);
    if (!(o.eps >= 0)) this.invalid('epsilon', o.eps);
    o.betas.forEach((beta, i) => {
      if (!(beta >= 0 && beta < 1)) this.invalid(`beta parameter at index ${i}`, beta);
    });
    if (!(o.weightDecay >= 0)) this.invalid('weight_decay', o.weightDecay);
  }

  protected override update(p: Tensor, grad: Tensor, state: ParamState, o: AdamOptions): void {
    state['step'] ??= 0;
    state['exp_avg'] ??= this.zerosFor(p);
    state['exp_avg_sq'] ??= this.zerosFor(p);
    const t = (state['step'] = (state['step'] as number) + 1);
    const [b1, b2] = o.betas;
    const scalars = [
      1 - b1,
      b2,
      1 - b2,
      o.lr / (1 - b1 ** t),
      Math.sqrt(1 - b2 ** t),
      o.eps,
      o.decoupledWeightDecay ? 0 : o.weightDecay,
      o.decoupledWeightDecay ? 1 - o.lr * o.weightDecay : 1,
      o.maximize ? -1 : 1,
    ];
    const m = state['exp_avg'] as Tensor;
    const v = state['exp_avg_sq'] as Tensor;
    if (o.amsgrad) {
      state['max_exp_avg_sq'] ??= this.zerosFor(p);
      amsgrad.run([p, m, v, state['max_exp_avg_sq'] as Tensor, grad], scalars);
    } else adam.run([p, m, v, grad], scalars);
  }
}

/** Adam with decoupled weight decay (1e-2 by default). */
export class AdamW extends Adam {
  static override readonly typeName: string = 'AdamW';

  constructor(params: Params<AdamOptions>, options: Partial<Omit<AdamOptions, 'decoupledWeightDecay'>> = {}) {
    super(params, { weightDecay: 1e-2, ...options, decoupledWeightDecay: true });
  }
}
