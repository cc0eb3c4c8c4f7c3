/** @file Resilient backpropagation (Riedmiller and Braun, 1993). PyTorch: torch.optim.Rprop. */
import { fullLike, keep, type Tensor } from '@tessera/core';
import { Optimizer } from '../base/optimizer.js';
import type { CapturableOption, ImplementationOptions } from '../base/options.js';
import type { Params } from '../base/param-groups.js';
import type { ParamState } from '../base/state-dict.js';
import { UpdateFamily } from '../base/update-family.js';

export interface RpropOptions extends ImplementationOptions, CapturableOption {
  /** The step size that each element starts with. Default 1e-2. */
  lr: number;
  /** Factors of the step size: where the gradient's sign changed, where it stayed. Default [0.5, 1.2]. */
  etas: readonly [number, number];
  /** The least and the largest step size. Default [1e-6, 50]. */
  stepSizes: readonly [number, number];
  /** Ascend. Default false. */
  maximize: boolean;
}

/** Scalars: η−, η+, the least and the largest step size. */
const rprop = new UpdateFamily('rprop', ['maximize'], 3, (e, on, [p, prev, size, g], [shrink, grow, least, largest]) => {
  const d = on.maximize ? e.neg(g!) : g!;
  const turn = e.mul(d, prev!);
  const turned = e.lt(turn, 0);
  const factor = e.where(e.gt(turn, 0), grow!, e.where(turned, shrink!, 1));
  const size1 = e.min(e.max(e.mul(size!, factor), least!), largest!);
  // Where the sign changed, it stays, and starts anew from there.
  const d1 = e.where(turned, e.mul(d, 0), d);
  return [e.sub(p!, e.mul(e.sign(d1), size1)), d1, size1];
});

/**
 * Goes by the sign of the gradient alone, with a step size for each element. For whole batches, not for samples of them.
 * State: `step`, `prev`, `step_size`. PyTorch: optim.Rprop.
 *
 * @throws ValueError `ERR_OPTIM_OPTION`, `ERR_OPTIM_PARAMS`.
 * @example new Rprop(model.parameters(), { lr: 0.01, etas: [0.5, 1.2] })
 */
export class Rprop extends Optimizer<RpropOptions> {
  static override readonly typeName = 'Rprop';
  static override readonly floatOptions: readonly string[] = ['lr'];

  constructor(params: Params<RpropOptions>, options: Partial<RpropOptions> = {}) {
    const defaults: RpropOptions = {
      lr: 1e-2,
      etas: [0.5, 1.2],
      stepSizes: [1e-6, 50],
      foreach: null,
      maximize: false,
      differentiable: false,
      capturable: false,
    };
    super(params, defaults, options);
  }

  protected override check(o: RpropOptions): void {
    this.notNegative(['Invalid learning rate', o.lr]);
    const [shrink, grow] = o.etas;
    if (!(shrink > 0 && shrink < 1 && grow > 1)) this.refuse(`Invalid eta values: ${shrink}, ${grow}`);
  }

  protected override update(p: Tensor, grad: Tensor, state: ParamState, o: RpropOptions): void {
    state['step'] = ((state['step'] as number | undefined) ?? 0) + 1;
    state['prev'] ??= this.zerosFor(p);
    state['step_size'] ??= keep(fullLike(p, o.lr).realize());
    rprop
      .pick(o.maximize)
      .run([p, state['prev'] as Tensor, state['step_size'] as Tensor, grad], [o.etas[0], o.etas[1], o.stepSizes[0], o.stepSizes[1]]);
  }
}
