/** @file Adagrad (Duchi et al., 2011). PyTorch: torch.optim.Adagrad. */
import { fullLike, keep, noGrad, type Tensor } from '@tessera/core';
import { Optimizer } from '../base/optimizer.js';
import type { FusedOption, ImplementationOptions } from '../base/options.js';
import type { ParamGroupInput, Params } from '../base/param-groups.js';
import type { ParamState } from '../base/state-dict.js';
import { gradient, UpdateFamily } from '../base/update-family.js';

export interface AdagradOptions extends ImplementationOptions, FusedOption {
  /** Learning rate. Default 1e-2. */
  lr: number;
  /** The learning rate is divided by 1 + (t − 1)·lrDecay. Default 0. */
  lrDecay: number;
  /** Factor of the parameter that is added to its gradient. Default 0. */
  weightDecay: number;
  /** What the sum of squares starts from. Default 0. */
  initialAccumulatorValue: number;
  /** Added to the root for stability. Default 1e-10. */
  eps: number;
  /** Ascend. Default false. */
  maximize: boolean;
}

/** Scalars: learning rate of this step, ε, weight decay. */
const adagrad = new UpdateFamily('adagrad', ['maximize', 'l2'], 2, (e, on, [p, s, g], [lr, eps, decay]) => {
  const d = gradient(e, on, g!, p!, decay!);
  const s1 = e.add(s!, e.mul(d, d));
  return [e.sub(p!, e.mul(lr!, e.div(d, e.add(e.sqrt(s1), eps!)))), s1];
});

/**
 * p ← p − lr / (√s + ε) · g, with s the sum of all squares so far. State, from the start on: `step`, `sum`. PyTorch: optim.Adagrad.
 * @throws ValueError `ERR_OPTIM_OPTION`, `ERR_OPTIM_PARAMS`.
 * @example new Adagrad(model.parameters(), { lr: 0.01, lrDecay: 1e-4 })
 */
export class Adagrad extends Optimizer<AdagradOptions> {
  static override readonly typeName = 'Adagrad';
  static override readonly floatOptions: readonly string[] = ['lr', 'eps'];

  constructor(params: Params<AdagradOptions>, options: Partial<AdagradOptions> = {}) {
    const defaults: AdagradOptions = {
      lr: 1e-2,
      lrDecay: 0,
      eps: 1e-10,
      weightDecay: 0,
      initialAccumulatorValue: 0,
      foreach: null,
      maximize: false,
      differentiable: false,
      fused: null,
    };
    super(params, defaults, options);
  }

  override addParamGroup(group: ParamGroupInput<AdagradOptions>): void {
    super.addParamGroup(group);
    const { params, initialAccumulatorValue } = this.paramGroups.at(-1)!;
    for (const p of params) this.state.set(p, { step: 0, sum: keep(noGrad(() => fullLike(p, initialAccumulatorValue).realize())) });
  }

  protected override check(o: AdagradOptions): void {
    this.notNegative(
      ['Invalid learning rate', o.lr],
      ['Invalid lr_decay value', o.lrDecay],
      ['Invalid weight_decay value', o.weightDecay],
      ['Invalid initial_accumulator_value value', o.initialAccumulatorValue],
      ['Invalid epsilon value', o.eps],
    );
  }

  protected override get updatesApart(): boolean {
    return this.update === Adagrad.prototype.update;
  }

  protected override update(p: Tensor, grad: Tensor, state: ParamState, o: AdagradOptions): void {
    const t = (state['step'] = ((state['step'] as number | undefined) ?? 0) + 1);
    state['sum'] ??= keep(fullLike(p, o.initialAccumulatorValue).realize());
    adagrad
      .pick(o.maximize, o.weightDecay !== 0)
      .run([p, state['sum'] as Tensor, grad], [o.lr / (1 + (t - 1) * o.lrDecay), o.eps, o.weightDecay]);
  }
}
