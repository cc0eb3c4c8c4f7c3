/** @file RMSprop (Hinton, 2012), and its centered form (Graves, 2013). PyTorch: torch.optim.RMSprop. */
import type { Tensor } from '@tessera/core';
import { Optimizer } from '../base/optimizer.js';
import type { CapturableOption, ImplementationOptions } from '../base/options.js';
import type { Params } from '../base/param-groups.js';
import type { ParamState } from '../base/state-dict.js';
import { gradient, towards, UpdateFamily } from '../base/update-family.js';

export interface RMSpropOptions extends ImplementationOptions, CapturableOption {
  /** Learning rate. Default 1e-2. */
  lr: number;
  /** Factor of the running direction. Default 0: none is kept. */
  momentum: number;
  /** Decay of the running means. Default 0.99. */
  alpha: number;
  /** Added to the root for stability. Default 1e-8. */
  eps: number;
  /** Divide by the gradient's deviation from its mean rather than by its size. Default false. */
  centered: boolean;
  /** Factor of the parameter that is added to its gradient. Default 0. */
  weightDecay: number;
  /** Ascend. Default false. */
  maximize: boolean;
}

/** Tensors: p, mean of squares, mean (if centered), direction (with momentum), gradient. Scalars: α, 1 − α, ε, lr, momentum, weight decay. */
const rmsprop = new UpdateFamily(
  'rmsprop',
  ['maximize', 'l2', 'centered', 'momentum'],
  (on) => 2 + Number(on.centered) + Number(on.momentum),
  (e, on, tensors, [alpha, rest, eps, lr, momentum, decay]) => {
    const [p, v] = tensors;
    const d = gradient(e, on, tensors.at(-1)!, p!, decay!);
    const v1 = e.add(e.mul(v!, alpha!), e.mul(e.mul(d, d), rest!));
    const mean = on.centered ? towards(e, tensors[2]!, d, rest!) : null;
    const root = e.add(e.sqrt(mean === null ? v1 : e.sub(v1, e.mul(mean, mean))), eps!);
    const kept = mean === null ? [v1] : [v1, mean];
    if (!on.momentum) return [e.sub(p!, e.mul(lr!, e.div(d, root))), ...kept];
    const direction = e.add(e.mul(tensors.at(-2)!, momentum!), e.div(d, root));
    return [e.sub(p!, e.mul(lr!, direction)), ...kept, direction];
  },
);

/**
 * p ← p − lr·g / (√v + ε), with v the running mean of g² (less that of g, squared, if centered).
 * State: `step`, `square_avg`, and `momentum_buffer`, `grad_avg` where the options need them. PyTorch: optim.RMSprop.
 *
 * @throws ValueError `ERR_OPTIM_OPTION`, `ERR_OPTIM_PARAMS`.
 * @example new RMSprop(model.parameters(), { lr: 1e-2, momentum: 0.9, centered: true })
 */
export class RMSprop extends Optimizer<RMSpropOptions> {
  static override readonly typeName = 'RMSprop';
  static override readonly floatOptions: readonly string[] = ['lr', 'eps'];

  constructor(params: Params<RMSpropOptions>, options: Partial<RMSpropOptions> = {}) {
    const defaults: RMSpropOptions = {
      lr: 1e-2,
      momentum: 0,
      alpha: 0.99,
      eps: 1e-8,
      centered: false,
      weightDecay: 0,
      capturable: false,
      foreach: null,
      maximize: false,
      differentiable: false,
    };
    super(params, defaults, options);
  }

  protected override check(o: RMSpropOptions): void {
    this.notNegative(
      ['Invalid learning rate', o.lr],
      ['Invalid epsilon value', o.eps],
      ['Invalid momentum value', o.momentum],
      ['Invalid weight_decay value', o.weightDecay],
      ['Invalid alpha value', o.alpha],
    );
  }

  protected override get updatesApart(): boolean {
    return this.update === RMSprop.prototype.update;
  }

  protected override update(p: Tensor, grad: Tensor, state: ParamState, o: RMSpropOptions): void {
    const momentum = o.momentum > 0;
    state['step'] = ((state['step'] as number | undefined) ?? 0) + 1;
    state['square_avg'] ??= this.zerosFor(p);
    const tensors = [p, state['square_avg'] as Tensor];
    if (o.centered) tensors.push((state['grad_avg'] ??= this.zerosFor(p)) as Tensor);
    if (momentum) tensors.push((state['momentum_buffer'] ??= this.zerosFor(p)) as Tensor);
    tensors.push(grad);
    rmsprop
      .pick(o.maximize, o.weightDecay !== 0, o.centered, momentum)
      .run(tensors, [o.alpha, 1 - o.alpha, o.eps, o.lr, o.momentum, o.weightDecay]);
  }
}
