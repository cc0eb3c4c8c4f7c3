/** @file GradScaler: keeps small float16 gradients from becoming 0. PyTorch: torch.amp.GradScaler. */
import { noGrad } from '../autograd/mode.js';
import { AutogradError, DTypeError, ValueError } from '../errors.js';
import { stack } from '../ops/cat.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { checkOptions, type OptionNames } from '../options.js';

const GRAD_SCALER_OPTIONS: OptionNames<GradScalerOptions> = {
  initScale: true,
  growthFactor: true,
  backoffFactor: true,
  growthInterval: true,
  enabled: true,
};

export interface GradScalerOptions {
  /** The first factor. Default 65536. */
  readonly initScale?: number;
  /** The factor grows by this after `growthInterval` steps without an overflow. More than 1; default 2. */
  readonly growthFactor?: number;
  /** The factor shrinks by this after an overflow. Less than 1; default 0.5. */
  readonly backoffFactor?: number;
  /** Default 2000. */
  readonly growthInterval?: number;
  /** false: all methods pass through, so that one loop serves with and without mixed precision. Default true. */
  readonly enabled?: boolean;
}

/** What a scaler wants of an optimizer: those of `optim` have it. */
export interface ScaledOptimizer {
  readonly paramGroups: readonly { readonly params: readonly Tensor[] }[];
  step(): unknown;
}

/** A scaler's state under PyTorch's names; empty for one that is not enabled. */
export interface GradScalerState {
  readonly scale: number;
  readonly growth_factor: number;
  readonly backoff_factor: number;
  readonly growth_interval: number;
  readonly _growth_tracker: number;
}

/** Where an optimizer is between two updates of the scale. */
interface Progress {
  /** A 0-d bool for each device with gradients: are all of them finite? null once it was read. */
  finite: readonly Tensor[] | null;
  overflowed: boolean;
  stepped: boolean;
}

/** One loss, or several in arrays. */
type Nested = Tensor | readonly Nested[];

/**
 * Multiplies the loss before its backward, divides the gradients by the same factor before the step, skips the step when one of them is no finite
 * number, and finds the factor as it goes. All gradients of a device are checked into one element there, which `step` reads: one read a step.
 * Where the device cannot be read at once, use `stepAsync`.
 *
 * @example
 * const scaler = new amp.GradScaler();
 * for (const [x, y] of batches) {
 *   optimizer.zeroGrad();
 *   const loss = autocast('float16', () => F.crossEntropy(model(x), y));
 *   scaler.scale(loss).backward();
 *   scaler.unscale_(optimizer); // only where gradients are looked at or clipped
 *   nn.utils.clipGradNorm_(model.parameters(), 1);
 *   scaler.step(optimizer);
 *   scaler.update();
 * }
 */
export class GradScaler {
  readonly #enabled: boolean;
  #scale: number;
  #growthFactor: number;
  #backoffFactor: number;
  #growthInterval: number;
  #sinceGrowth = 0;
  #progress = new Map<ScaledOptimizer, Progress>();

  /** @throws ValueError `ERR_SCALER_OPTION` */
  constructor(options: GradScalerOptions = {}) {
    checkOptions('GradScaler', options, GRAD_SCALER_OPTIONS);
    const { initScale = 65536, growthFactor = 2, backoffFactor = 0.5, growthInterval = 2000, enabled = true } = options;
    this.#enabled = enabled;
    this.#scale = positive('initScale', initScale);
    this.#growthFactor = growing(growthFactor);
    this.#backoffFactor = shrinking(backoffFactor);
    this.#growthInterval = positive('growthInterval', growthInterval);
  }

  /** The loss (or losses, in arrays) times the scale. Part of the graph. PyTorch: scale. */
  scale(output: Tensor): Tensor;
  scale(outputs: readonly Nested[]): readonly Nested[];
  scale(outputs: Nested): Nested {
    if (!this.#enabled) return outputs;
    return isTensor(outputs) ? outputs.mul(this.#scale) : outputs.map((x) => (isTensor(x) ? this.scale(x) : this.scale(x)));
  }

  /**
   * Divides the gradients of an optimizer's parameters by the scale, in place, and looks for numbers that are not finite. `step` does it where it
   * was not done; call it before gradients are clipped. Reads nothing. PyTorch: unscale_.
   *
   * @throws AutogradError `ERR_SCALER_ORDER` the second time before an update, or after the step; DTypeError `ERR_DTYPE` for float16 gradients.
   */
  unscale_(optimizer: ScaledOptimizer): void {
    if (!this.#enabled) return;
    const progress = this.#of(optimizer);
    if (progress.stepped) throw outOfOrder('unscale_() is being called after step().');
    if (progress.finite !== null) throw outOfOrder('unscale_() has already been called on this optimizer since the last update().');
    const inverse = 1 / this.#scale;
    const finite = new Map<string, Tensor[]>();
    noGrad(() => {
      for (const { params } of optimizer.paramGroups)
        for (const { ownGrad: grad } of params) {
          if (grad === null) continue;
          if (grad.dtype === 'float16')
            throw new DTypeError(
              'ERR_DTYPE',
              'unscale_: Attempting to unscale FP16 gradients. Parameters are to be float32 under autocast.',
              {
                op: 'unscale_',
                dtypes: [grad.dtype],
                shapes: [grad.shape],
              },
            );
          grad.mul_(inverse);
          const list = finite.get(grad.device.id) ?? [];
          list.push(grad.isfinite().all());
          finite.set(grad.device.id, list);
        }
      progress.finite = [...finite.values()].map((list) => stack(list).all());
    });
  }

  /**
   * Steps the optimizer, unless a gradient overflowed. Reads one element. Answers what the optimizer's step did, null when it was skipped.
   * PyTorch: step.
   *
   * @throws NotSupportedError `ERR_SYNC_READ` where the device cannot be read at once: use {@link stepAsync}; AutogradError `ERR_SCALER_ORDER`
   * the second time before an update, `ERR_SCALER_GRADS` where no parameter has a gradient.
   */
  step<O extends ScaledOptimizer>(optimizer: O): ReturnType<O['step']> | null {
    if (!this.#enabled) return optimizer.step() as ReturnType<O['step']>;
    const progress = this.#prepare(optimizer);
    progress.overflowed = progress.finite!.some((t) => t.item() === 0);
    return this.#finish(optimizer, progress);
  }

  /** As {@link step}, on every device. */
  async stepAsync<O extends ScaledOptimizer>(optimizer: O): Promise<Awaited<ReturnType<O['step']>> | null> {
    if (!this.#enabled) return (await optimizer.step()) as Awaited<ReturnType<O['step']>>;
    const progress = this.#prepare(optimizer);
    const read = await Promise.all(progress.finite!.map((t) => t.itemAsync()));
    progress.overflowed = read.some((x) => x === 0);
    return this.#finish(optimizer, progress) as Awaited<ReturnType<O['step']>> | null;
  }

  #prepare(optimizer: ScaledOptimizer): Progress {
    const progress = this.#of(optimizer);
    if (progress.stepped) throw outOfOrder('step() has already been called since the last update().');
    if (progress.finite === null) this.unscale_(optimizer);
    if (progress.finite!.length === 0)
      throw new AutogradError('ERR_SCALER_GRADS', 'GradScaler: No inf checks were recorded for this optimizer.');
    return progress;
  }

  #finish<O extends ScaledOptimizer>(optimizer: O, progress: Progress): ReturnType<O['step']> | null {
    progress.stepped = true;
    for (const t of progress.finite!) t.dispose();
    return progress.overflowed ? null : (optimizer.step() as ReturnType<O['step']>);
  }

  /**
   * Ends an iteration: shrinks the scale when a step was skipped, lets it grow after enough that were not; or sets it to `newScale`.
   * PyTorch: update.
   *
   * @throws AutogradError `ERR_SCALER_ORDER` before any step.
   */
  update(newScale?: number): void {
    if (!this.#enabled) return;
    if (newScale !== undefined) this.#scale = positive('newScale', newScale);
    else {
      const steps = [...this.#progress.values()].filter((p) => p.stepped);
      if (steps.length === 0) throw outOfOrder('No inf checks were recorded prior to update: call step() first.');
      if (steps.some((p) => p.overflowed)) {
        this.#scale *= this.#backoffFactor;
        this.#sinceGrowth = 0;
      } else if (++this.#sinceGrowth >= this.#growthInterval) {
        // As in PyTorch, the scale grows no further than float32 does.
        const grown = Math.fround(this.#scale * this.#growthFactor);
        if (Number.isFinite(grown)) this.#scale = grown;
        this.#sinceGrowth = 0;
      }
    }
    this.#progress.clear();
  }

  #of(optimizer: ScaledOptimizer): Progress {
    let progress = this.#progress.get(optimizer);
    if (progress === undefined) {
      progress = { finite: null, overflowed: false, stepped: false };
      this.#progress.set(optimizer, progress);
    }
    return progress;
  }

  /** The factor; 1 when not enabled. PyTorch: get_scale. */
  getScale(): number {
    return this.#enabled ? this.#scale : 1;
  }

  isEnabled(): boolean {
    return this.#enabled;
  }

  get growthFactor(): number {
    return this.#growthFactor;
  }

  set growthFactor(factor: number) {
    this.#growthFactor = growing(factor);
  }

  get backoffFactor(): number {
    return this.#backoffFactor;
  }

  set backoffFactor(factor: number) {
    this.#backoffFactor = shrinking(factor);
  }

  get growthInterval(): number {
    return this.#growthInterval;
  }

  set growthInterval(steps: number) {
    this.#growthInterval = positive('growthInterval', steps);
  }

  /** Under PyTorch's names. Take it between iterations, after `update()`. PyTorch: state_dict. */
  stateDict(): GradScalerState | Record<string, never> {
    if (!this.#enabled) return {};
    return {
      scale: this.#scale,
      growth_factor: this.#growthFactor,
      backoff_factor: this.#backoffFactor,
      growth_interval: this.#growthInterval,
      _growth_tracker: this.#sinceGrowth,
    };
  }

  /** PyTorch: load_state_dict. @throws ValueError `ERR_SCALER_STATE` for the empty state of a scaler that was not enabled. */
  loadStateDict(state: GradScalerState | Record<string, never>): void {
    if (!this.#enabled) return;
    if (typeof state.scale !== 'number')
      throw new ValueError(
        'ERR_SCALER_STATE',
        'The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler.',
      );
    this.#scale = positive('scale', state.scale);
    this.growthFactor = state.growth_factor;
    this.backoffFactor = state.backoff_factor;
    this.growthInterval = state.growth_interval;
    this.#sinceGrowth = state._growth_tracker;
  }
}

const outOfOrder = (why: string): AutogradError => new AutogradError('ERR_SCALER_ORDER', `GradScaler: ${why}`);

function option(ok: boolean, text: string): void {
  if (!ok) throw new ValueError('ERR_SCALER_OPTION', `GradScaler: ${text}`);
}
function positive(name: string, x: number): number {
  option(x > 0 && Number.isFinite(x), `${name} must be a positive number, not ${x}`);
  return x;
}
function growing(x: number): number {
  option(x > 1, 'The growth factor must be > 1.0.');
  return x;
}
function shrinking(x: number): number {
  option(x > 0 && x < 1, 'The backoff factor must be < 1.0.');
  return x;
}
