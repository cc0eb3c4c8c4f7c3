/** @file Adafactor: second moments in memory of the size of a row and a column (Shazeer and Stern, 2018). PyTorch: torch.optim.Adafactor. */
import { keep, scope, type Tensor, Update, zeros } from '@tessera/core';
import { Optimizer } from '../base/optimizer.js';
import type { Params } from '../base/param-groups.js';
import type { ParamState } from '../base/state-dict.js';

export interface AdafactorOptions {
  /** The largest relative step size, and the factor of the weight decay. Default 1e-2. */
  lr: number;
  /** The power of the step by which 1 − β2 falls; at most 0. Default −0.8. */
  beta2Decay: number;
  /** What keeps a divisor from zero (null: the dtype's own epsilon), and the least scale of a parameter. Default [null, 1e-3]. */
  eps: readonly [number | null, number];
  /** Updates whose root mean square is above it are scaled down to it; at least 1. Default 1. */
  d: number;
  /** Default 0. */
  weightDecay: number;
  /** No effect. Default null. */
  foreach: boolean | null;
  /** Ascend. Default false. */
  maximize: boolean;
}

const EPSILON: Readonly<Record<string, number>> = { float32: 2 ** -23, float64: 2 ** -52, float16: 2 ** -10, bfloat16: 2 ** -7 };

/** Scalars: factor of the parameter. The step's size is a tensor: it is computed on the device, and never read. */
const apply = new Update('adafactor', 1, (e, [p, u, size], [shrink]) => [e.sub(e.mul(p!, shrink!), e.mul(u!, size!))]);

/**
 * Adam without a first moment, whose second moment of a matrix is the product of its rows' and columns' means. The step is relative to the
 * parameter's own scale. State: `step`, and `row_var`, `col_var` of tensors with 2 dims and more, or `variance`. PyTorch: optim.Adafactor.
 *
 * @throws ValueError `ERR_OPTIM_OPTION`, `ERR_OPTIM_PARAMS`.
 * @example new Adafactor(model.parameters(), { lr: 1e-2, weightDecay: 0.01 })
 */
export class Adafactor extends Optimizer<AdafactorOptions> {
  static override readonly typeName = 'Adafactor';
  static override readonly floatOptions: readonly string[] = ['lr', 'beta2Decay', 'd', 'weightDecay'];

  constructor(params: Params<AdafactorOptions>, options: Partial<AdafactorOptions> = {}) {
    const defaults: AdafactorOptions = {
      lr: 1e-2,
      beta2Decay: -0.8,
      eps: [null, 1e-3],
      d: 1,
      weightDecay: 0,
      foreach: null,
      maximize: false,
    };
    super(params, defaults, options);
  }

  protected override check(o: AdafactorOptions): void {
    this.notNegative(['Learning rate should be >= 0 but is', o.lr]);
    if (!(o.beta2Decay <= 0)) this.refuse(`beta2_decay should be <= 0 but is: ${o.beta2Decay}`);
    this.notNegative(['epsilon1 should be >= 0 but is', o.eps[0] ?? 0], ['epsilon2 should be >= 0 but is', o.eps[1]]);
    if (!(o.d >= 1)) this.refuse(`Clipping threshold d should be >= 1 but is: ${o.d}`);
    this.notNegative(['weight_decay should be >= 0 but is', o.weightDecay]);
  }

  protected override update(p: Tensor, grad: Tensor, state: ParamState, o: AdafactorOptions): void {
    const t = (state['step'] = ((state['step'] as number | undefined) ?? 0) + 1);
    const eps1 = o.eps[0] ?? EPSILON[p.dtype] ?? 2 ** -23;
    const rms = Math.sqrt(p.numel());
    const fresh = t ** o.beta2Decay;
    scope(() => {
      const variance = grad.ndim > 1 ? this.#factored(grad, state, fresh, eps1) : this.#whole(p, grad, state, fresh);
      const scaled = variance
        .clamp({ min: eps1 * eps1 })
        .rsqrt()
        .mul(grad);
      const u = (o.maximize ? scaled.neg() : scaled).realize();
      const size = p
        .norm(2)
        .div(rms)
        .clamp({ min: o.eps[1] })
        .mul(Math.min(o.lr, 1 / Math.sqrt(t)))
        .div(
          u
            .norm(2)
            .div(rms * o.d)
            .clamp({ min: 1 }),
        );
      apply.run([p, u, size.expand(p.shape)], [1 - o.lr * o.weightDecay]);
    });
  }

  /** The second moment of a matrix (or of several), from its rows' and columns' running means. */
  #factored(grad: Tensor, state: ParamState, fresh: number, eps1: number): Tensor {
    const like = { dtype: grad.dtype, device: grad.device };
    const { shape } = grad;
    state['row_var'] ??= keep(zeros([...shape.slice(0, -1), 1], like).realize());
    state['col_var'] ??= keep(zeros([...shape.slice(0, -2), 1, shape.at(-1)!], like).realize());
    const square = grad.mul(grad);
    const row = (state['row_var'] as Tensor).lerp_(square.mean(-1, { keepdim: true }), fresh).realize();
    const column = (state['col_var'] as Tensor).lerp_(square.mean(-2, { keepdim: true }), fresh).realize();
    return row.mul(column).div(row.mean(-2, { keepdim: true }).clamp({ min: eps1 }));
  }

  #whole(p: Tensor, grad: Tensor, state: ParamState, fresh: number): Tensor {
    state['variance'] ??= this.zerosFor(p);
    return (state['variance'] as Tensor).lerp_(grad.mul(grad), fresh).realize();
  }
}
