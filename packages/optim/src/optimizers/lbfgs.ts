/**
 * @file L-BFGS: a quasi-Newton method with a limited memory (Liu and Nocedal, 1989; after minFunc by M. Schmidt). PyTorch: torch.optim.LBFGS.
 *
 * The algorithm is a generator that asks for what takes time: the closure, and numbers from the device. `step` answers at once; `stepAsync`
 * awaits, and so runs on devices that cannot be waited for, and with closures that are async.
 */
import { requireOptions } from '../base/options.js';
import { cat, enableGrad, keep, noGrad, scope, stack, type Tensor, Update, ValueError, zeros } from '@tessera/core';
import { type AsyncClosure, type Closure, Optimizer } from '../base/optimizer.js';
import { type Params, refuseParams } from '../base/param-groups.js';
import type { ParamState } from '../base/state-dict.js';
import { forget, type History, recall, store, twoLoops } from './lbfgs-history.js';
import { type Point, strongWolfe } from './strong-wolfe.js';

export interface LBFGSOptions {
  /** Factor of the step. Default 1. */
  lr: number;
  /** Iterations in one `step`. Default 20. */
  maxIter: number;
  /** How often the closure may be called in one `step`. Default ⌊1.25·maxIter⌋. */
  maxEval: number;
  /** Stop when no element of the gradient is larger. Default 1e-7. */
  toleranceGrad: number;
  /** Stop when neither the loss nor a parameter changes more. Default 1e-9. */
  toleranceChange: number;
  /** How many past steps are remembered. Default 100. */
  historySize: number;
  /** null takes steps of `lr`; 'strong_wolfe' searches along the direction. Default null. */
  lineSearchFn: 'strong_wolfe' | null;
}

/** What the algorithm waits for: a call of the closure, or the numbers in some 0-d tensors. */
type Request = { readonly closure: true } | { readonly read: readonly Tensor[] };
type Answer = Tensor | readonly number[];
type Run<T> = Generator<Request, T, Answer>;

const move = new Update('lbfgs.move', 1, (e, [p, d], [t]) => [e.add(p!, e.mul(d!, t!))]);
const CURVATURE = 1e-10;

/**
 * Minimises a function with its gradients alone, as Newton's method would with its curvature. Its closure computes the loss anew each time.
 * State, at the first parameter: `func_evals`, `n_iter`, `d`, `t`, `old_dirs`, `old_stps`, `ro`, `H_diag`, `prev_flat_grad`, `prev_loss`.
 * One group only. PyTorch: optim.LBFGS.
 *
 * @throws ValueError `ERR_OPTIM_OPTION`, `ERR_OPTIM_PARAMS`; `ERR_OPTIM_CLOSURE` for a step without a closure.
 * @example
 * const optimizer = new LBFGS([x], { lineSearchFn: 'strong_wolfe' });
 * optimizer.step(() => {
 *   optimizer.zeroGrad();
 *   const loss = f(x);
 *   loss.backward();
 *   return loss;
 * });
 */
export class LBFGS extends Optimizer<LBFGSOptions> {
  static override readonly typeName = 'LBFGS';
  static override readonly hostState: readonly string[] = ['func_evals', 'n_iter', 't', 'ro', 'H_diag', 'prev_loss', 'al'];

  constructor(params: Params<LBFGSOptions>, options: Partial<LBFGSOptions> = {}) {
    requireOptions('LBFGS', options);
    const defaults: LBFGSOptions = {
      lr: 1,
      maxIter: 20,
      maxEval: Math.floor(((options.maxIter ?? 20) * 5) / 4),
      toleranceGrad: 1e-7,
      toleranceChange: 1e-9,
      historySize: 100,
      lineSearchFn: null,
    };
    super(params, defaults, options);
    if (this.paramGroups.length !== 1) refuseParams(this.typeName, "LBFGS doesn't support per-parameter options (parameter groups)");
  }

  protected override check(o: LBFGSOptions): void {
    this.notNegative(['Invalid learning rate', o.lr]);
    if (o.lineSearchFn !== null && o.lineSearchFn !== 'strong_wolfe') this.refuse("only 'strong_wolfe' is supported");
  }

  /** All parameters are updated together. @internal */
  protected override update(): void {}

  protected override takeStep(closure?: Closure): Tensor {
    const run = this.#run();
    let next = noGrad(() => run.next());
    while (next.done !== true) {
      const request = next.value;
      const answer = 'closure' in request ? enableGrad(this.#needed(closure)) : numbersOf(request.read, (t) => t.data());
      next = noGrad(() => run.next(answer));
    }
    return next.value;
  }

  protected override async takeStepAsync(closure?: AsyncClosure): Promise<Tensor> {
    const run = this.#run();
    let next = noGrad(() => run.next());
    while (next.done !== true) {
      const request = next.value;
      const answer = 'closure' in request ? await this.#needed(closure)() : await numbersOf(request.read, (t) => t.dataAsync());
      next = noGrad(() => run.next(answer));
    }
    return next.value;
  }

  #needed<C>(closure: C | undefined): C {
    if (closure === undefined) throw new ValueError('ERR_OPTIM_CLOSURE', 'LBFGS: step needs a closure that computes the loss anew');
    return closure;
  }

  get #params(): Tensor[] {
    return this.paramGroups[0]!.params;
  }

  /** One step. */
  *#run(): Run<Tensor> {
    const o = this.paramGroups[0]!;
    const first = this.#params[0]!;
    const state = this.state.get(first) ?? {};
    this.state.set(first, state);
    state['func_evals'] ??= 0;
    state['n_iter'] ??= 0;
    const memory = recall(state);
    // Gradients that this step flattened: each is given back at its end, but for the one that is kept.
    const made: Tensor[] = [];
    try {
      return yield* this.#iterate(o, state, memory, made);
    } finally {
      store(state, memory);
      for (const t of made) if (t !== memory.gradient) t.dispose();
    }
  }

  *#iterate(o: LBFGSOptions, state: ParamState, memory: History, made: Tensor[]): Run<Tensor> {
    const original = (yield { closure: true }) as Tensor;
    let gradient = this.#flatGradient(made);
    let evaluations = 1;
    state['func_evals'] = (state['func_evals'] as number) + 1;
    let [loss, steepest] = (yield { read: [original.detach(), largest(gradient)] }) as [number, number];
    if (steepest <= o.toleranceGrad) return original;

    for (let n = 1; n <= o.maxIter; n++) {
      const total = (state['n_iter'] = (state['n_iter'] as number) + 1);
      yield* this.#direct(total === 1, o.historySize, memory, gradient);
      const direction = memory.direction!;
      if (memory.gradient !== null && !made.includes(memory.gradient)) memory.gradient.dispose();
      memory.gradient = gradient;
      memory.loss = loss;
      const [slope, sum, size] = (yield { read: [gradient.dot(direction), gradient.abs().sum(), largest(direction)] }) as number[];
      memory.t = total === 1 ? Math.min(1, 1 / sum!) * o.lr : o.lr;
      if (slope! > -o.toleranceChange) break;

      let calls = 0;
      if (o.lineSearchFn !== null) {
        const begin = this.#params.map((p) => p.detach().clone().realize());
        const evaluate = (t: number): Run<Point> => this.#evaluate(t, direction, begin, made);
        const found = yield* strongWolfe(evaluate, { t: 0, loss, gradient, slope: slope! }, memory.t, size!);
        for (const p of begin) p.dispose();
        ({ loss, gradient, t: memory.t } = found.point);
        calls = found.evaluations;
        this.#move(memory.t, direction);
        [steepest] = (yield { read: [largest(gradient)] }) as [number];
      } else {
        this.#move(memory.t, direction);
        if (n !== o.maxIter) {
          const again = (yield { closure: true }) as Tensor;
          gradient = this.#flatGradient(made);
          [loss, steepest] = (yield { read: [again.detach(), largest(gradient)] }) as [number, number];
          calls = 1;
        }
      }
      evaluations += calls;
      state['func_evals'] = (state['func_evals'] as number) + calls;
      if (n === o.maxIter || evaluations >= o.maxEval) break;
      if (steepest <= o.toleranceGrad) break;
      if (size! * Math.abs(memory.t) <= o.toleranceChange) break;
      if (Math.abs(loss - memory.loss) < o.toleranceChange) break;
    }
    return original;
  }

  /** Sets the direction: −g at first, then −H·g by the two loops over the history. */
  *#direct(isFirst: boolean, historySize: number, memory: History, gradient: Tensor): Run<void> {
    const round = gradient.dtype === 'float64' ? (x: number): number => x : Math.fround;
    if (isFirst) {
      forget(memory);
      memory.direction = keep(gradient.neg().realize());
      return;
    }
    const change = keep(gradient.sub(memory.gradient!).realize());
    const step = keep(memory.direction!.mul(memory.t).realize());
    const [ys, yy] = (yield { read: [change.dot(step), change.dot(change)] }) as [number, number];
    if (ys > CURVATURE) {
      if (memory.changes.length === historySize) {
        memory.changes.shift()!.dispose();
        memory.steps.shift()!.dispose();
        memory.ro.shift();
      }
      memory.changes.push(change);
      memory.steps.push(step);
      memory.ro.push(round(1 / ys));
      memory.scale = round(ys / yy);
    } else {
      change.dispose();
      step.dispose();
    }
    memory.direction!.dispose();
    memory.direction = keep(scope(() => twoLoops(memory, gradient)));
  }

  /** Loss, gradient and slope at a step along the direction; the parameters are put back. */
  *#evaluate(t: number, direction: Tensor, begin: readonly Tensor[], made: Tensor[]): Run<Point> {
    this.#move(t, direction);
    const loss = (yield { closure: true }) as Tensor;
    const gradient = this.#flatGradient(made);
    this.#params.forEach((p, i) => p.copy_(begin[i]!).realize());
    const [value, slope] = (yield { read: [loss.detach(), gradient.dot(direction)] }) as [number, number];
    return { t, loss: value, gradient, slope };
  }

  /** p ← p + t·d, for each parameter's part of the direction. */
  #move(t: number, direction: Tensor): void {
    scope(() => {
      let at = 0;
      for (const p of this.#params) {
        const count = p.numel();
        move.run([p, direction.narrow(0, at, count).view(p.shape).to(p.dtype)], [t]);
        at += count;
      }
    });
  }

  #flatGradient(made: Tensor[]): Tensor {
    const flat = scope(() => {
      const parts = this.#params.map((p) =>
        p.ownGrad === null ? zeros([p.numel()], { dtype: p.dtype, device: p.device }) : p.ownGrad.detach().reshape(-1),
      );
      return cat(parts, 0).clone().realize();
    });
    made.push(keep(flat));
    return flat;
  }
}

const largest = (t: Tensor): Tensor => t.abs().max();

/** Numbers of 0-d tensors, in one read where they have one dtype. */
function numbersOf<D extends ArrayLike<number> | Promise<ArrayLike<number>>>(
  tensors: readonly Tensor[],
  data: (t: Tensor) => D,
): D extends Promise<unknown> ? Promise<number[]> : number[] {
  const dtype = tensors.every((t) => t.dtype === tensors[0]!.dtype) ? tensors[0]!.dtype : 'float64';
  const all = noGrad(() =>
    scope(() =>
      stack(
        tensors.map((t) => t.to({ dtype }).reshape([])),
        0,
      ).realize(),
    ),
  );
  const read = data(all);
  const finish = (values: ArrayLike<number>): number[] => {
    all.dispose();
    return Array.from(values);
  };
  return (read instanceof Promise ? read.then(finish) : finish(read as ArrayLike<number>)) as never;
}
