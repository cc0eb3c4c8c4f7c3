/** @file Stochastic gradient descent, with momentum (Sutskever et al., 2013). PyTorch: torch.optim.SGD. */
import { type Tensor, Update, ValueError } from '@tessera/core';
import { Optimizer, type Params, type ParamState } from './optimizer.js';

export interface SGDOptions {
  /** Learning rate. Default 1e-3. */
  lr: number;
  /** Factor of the running direction. Default 0: none is kept. */
  momentum: number;
  /** What is taken off the gradient's part in the running direction. Default 0. */
  dampening: number;
  /** Factor of the parameter that is added to its gradient. Default 0. */
  weightDecay: number;
  /** Look ahead along the running direction. Default false. */
  nesterov: boolean;
  /** Ascend. Default false. */
  maximize: boolean;
}

/** Scalars: lr, weight decay, momentum, 1 − dampening, and the gradient's sign. */
const plain = new Update('sgd', 1, (e, [p, g], [lr, decay, , , sign]) => [
  e.sub(p!, e.mul(lr!, e.add(e.mul(g!, sign!), e.mul(p!, decay!)))),
]);
const undecayed = new Update('sgd', 1, (e, [p, g], [lr, , , , sign]) => [e.sub(p!, e.mul(lr!, e.mul(g!, sign!)))]);
const first = new Update('sgd.first', 2, (e, [p, , g], [lr, decay, , , sign]) => {
  const d = e.add(e.mul(g!, sign!), e.mul(p!, decay!));
  return [e.sub(p!, e.mul(lr!, d)), d];
});
const firstNesterov = new Update('sgd.firstNesterov', 2, (e, [p, , g], [lr, decay, momentum, , sign]) => {
  const d = e.add(e.mul(g!, sign!), e.mul(p!, decay!));
  return [e.sub(p!, e.mul(lr!, e.add(d, e.mul(d, momentum!)))), d];
});
const next = new Update('sgd.momentum', 2, (e, [p, b, g], [lr, decay, momentum, undamped, sign]) => {
  const d = e.add(e.mul(g!, sign!), e.mul(p!, decay!));
  const m = e.add(e.mul(b!, momentum!), e.mul(d, undamped!));
  return [e.sub(p!, e.mul(lr!, m)), m];
});
const nextNesterov = new Update('sgd.nesterov', 2, (e, [p, b, g], [lr, decay, momentum, undamped, sign]) => {
  const d = e.add(e.mul(g!, sign!), e.mul(p!, decay!));
  const m = e.add(e.mul(b!, momentum!), e.mul(d, undamped!));
  return [e.sub(p!, e.mul(lr!, e.add(d, e.mul(m, momentum!)))), m];
});

export class SGD extends Optimizer<SGDOptions> {
  static override readonly typeName = 'SGD';

  constructor(params: Params<SGDOptions>, options: Partial<SGDOptions> = {}) {
    super(params, { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, maximize: false, ...options });
  }

  protected override check(o: SGDOptions): void {
    if (!(o.lr >= 0)) this.invalid('learning rate', o.lr);
    if (!(o.momentum >= 0)) this.invalid('momentum', o.momentum);
    if (!(o.weightDecay >= 0)) this.invalid('weight_decay', o.weightDecay);
    if (o.nesterov && (o.momentum <= 0 || o.dampening !== 0))
      throw new ValueError('ERR_OPTIM_OPTION', 'SGD: Nesterov momentum requires a momentum and zero dampening');
  }

  protected override update(p: Tensor, grad: Tensor, state: ParamState, o: SGDOptions): void {
    const scalars = [o.lr, o.weightDecay, o.momentum, 1 - o.dampening, o.maximize ? -1 : 1];
    if (o.momentum === 0) {
      (o.weightDecay === 0 ? undecayed : plain).run([p, grad], scalars);
      return;
    }
    const buffer = state['momentum_buffer'] as Tensor | undefined;
    if (buffer === undefined) {
      const fresh = this.zerosFor(p);
      state['momentum_buffer'] = fresh;
      (o.nesterov ? firstNesterov : first).run([p, fresh, grad], scalars);
    } else (o.nesterov ? nextNesterov : next).run([p, buffer, grad], scalars);
  }
}
