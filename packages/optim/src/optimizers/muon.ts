/** @file Muon: momentum whose updates are made orthogonal (Jordan et al., 2024). PyTorch: torch.optim.Muon. */
import { scope, type Tensor, Update } from '@tessera/core';
import { Optimizer } from '../base/optimizer.js';
import { type ParamGroupInput, type Params, refuseParams } from '../base/param-groups.js';
import type { ParamState } from '../base/state-dict.js';

export interface MuonOptions {
  /** Learning rate. Default 1e-3. */
  lr: number;
  /** The parameter is multiplied by 1 − lr·weightDecay. Default 0.1. */
  weightDecay: number;
  /** Weight of the running direction. Default 0.95. */
  momentum: number;
  /** Look ahead along the running direction. Default true. */
  nesterov: boolean;
  /** Coefficients a, b, c of x ← a·x + (b·xxᵀ + c·(xxᵀ)²)·x. Default [3.4445, −4.775, 2.0315]. */
  nsCoefficients: readonly [number, number, number];
  /** The least norm that an update is divided by. Default 1e-7. */
  eps: number;
  /** How often x is replaced; below 100. Default 5. */
  nsSteps: number;
  /**
   * How the shape (A, B) scales the learning rate: by √max(1, A / B) ('original', and null), or by 0.2·√max(A, B), which makes its updates as large
   * as AdamW's ('match_rms_adamw'). Default null.
   */
  adjustLrFn: 'original' | 'match_rms_adamw' | null;
}

const apply = new Update('muon', 1, (e, [p, u], [shrink, lr]) => [e.sub(e.mul(p!, shrink!), e.mul(lr!, u!))]);

/** As a bfloat16 would hold it: the precision in which PyTorch iterates. */
const bf16 = (x: Tensor): Tensor => x.to('bfloat16').to('float32');

/**
 * The nearest matrix with orthonormal rows or columns, roughly: all singular values come near 1 (Newton and Schulz's iteration, of degree 5).
 * Products are summed in float32 and held in bfloat16, as PyTorch does.
 */
function orthogonal(update: Tensor, o: MuonOptions): Tensor {
  const [a, b, c] = o.nsCoefficients;
  const tall = update.shape[0]! > update.shape[1]!;
  let x = bf16(update.to('float32'));
  if (tall) x = x.t();
  x = bf16(x.div(bf16(x.norm()).clamp({ min: o.eps }))).realize();
  for (let i = 0; i < o.nsSteps; i++) {
    const gram = bf16(x.matmul(x.t())).realize();
    const mixed = bf16(gram.mul(b).add(gram.matmul(gram).mul(c))).realize();
    x = bf16(x.mul(a).add(mixed.matmul(x))).realize();
  }
  return tall ? x.t() : x;
}

/**
 * Momentum whose update of each matrix is replaced by an orthogonal one. For the matrices of hidden layers; give biases, embeddings and the last
 * layer to another optimizer. State: `momentum_buffer`. PyTorch: optim.Muon.
 *
 * @throws ValueError `ERR_OPTIM_OPTION`, `ERR_OPTIM_PARAMS` for a parameter that is no matrix.
 * @example
 * const hidden = [...model.body.parameters()].filter((p) => p.ndim === 2);
 * new Muon(hidden, { lr: 0.02, momentum: 0.95 })
 */
export class Muon extends Optimizer<MuonOptions> {
  static override readonly typeName = 'Muon';
  static override readonly floatOptions: readonly string[] = ['lr', 'eps', 'weightDecay', 'momentum', 'nsCoefficients'];

  constructor(params: Params<MuonOptions>, options: Partial<MuonOptions> = {}) {
    const defaults: MuonOptions = {
      lr: 1e-3,
      weightDecay: 0.1,
      momentum: 0.95,
      nesterov: true,
      nsCoefficients: [3.4445, -4.775, 2.0315],
      eps: 1e-7,
      nsSteps: 5,
      adjustLrFn: null,
    };
    super(params, defaults, options);
  }

  override addParamGroup(group: ParamGroupInput<MuonOptions>): void {
    super.addParamGroup(group);
    for (const p of this.paramGroups.at(-1)!.params) {
      if (p.ndim === 2) continue;
      this.paramGroups.pop();
      refuseParams(this.typeName, `Muon only supports 2D parameters whereas we found a parameter with size: [${p.shape.join(', ')}]`);
    }
  }

  protected override check(o: MuonOptions): void {
    this.notNegative(
      ['Learning rate should be >= 0 but is', o.lr],
      ['momentum should be >= 0 but is', o.momentum],
      ['weight decay should be >= 0 but is', o.weightDecay],
    );
    if (o.adjustLrFn !== null && o.adjustLrFn !== 'original' && o.adjustLrFn !== 'match_rms_adamw')
      this.refuse(`Adjust learning rate function ${String(o.adjustLrFn)} is not supported`);
    if (!(o.nsSteps < 100)) this.refuse('Number of steps must be less than 100 for computational efficiency');
  }

  protected override update(p: Tensor, grad: Tensor, state: ParamState, o: MuonOptions): void {
    const direction = (state['momentum_buffer'] ??= this.zerosFor(p)) as Tensor;
    const [rows, columns] = p.shape as [number, number];
    const ratio = o.adjustLrFn === 'match_rms_adamw' ? 0.2 * Math.sqrt(Math.max(rows, columns)) : Math.sqrt(Math.max(1, rows / columns));
    scope(() => {
      direction.lerp_(grad, 1 - o.momentum).realize();
      const u = orthogonal(o.nesterov ? grad.lerp(direction, o.momentum) : direction, o);
      apply.run([p, u.to(p.dtype)], [1 - o.lr * o.weightDecay, o.lr * ratio]);
    });
  }
}
