/** @file AveragedModel: a model whose parameters are running means of another's. PyTorch: torch.optim.swa_utils.AveragedModel. */
import {
  checkOptions,
  type OptionNames,
  Buffer,
  type DeviceLike,
  isTesseraError,
  Module,
  ModuleError,
  noGrad,
  runtimes,
  scope,
  type Tensor,
  typeNameOf,
  zeros,
} from '@tessera/core';
import { type AverageFn, getSwaMultiAvgFn, type MultiAverageFn } from './averages.js';

const AVERAGED_MODEL_OPTIONS: OptionNames<AveragedModelOptions<Module>> = {
  create: true,
  device: true,
  avgFn: true,
  multiAvgFn: true,
  useBuffers: true,
};

export interface AveragedModelOptions<M extends Module> {
  /**
   * Makes a model like the given one, whose parameters and buffers are then overwritten. Without it, the model's class is called without
   * arguments: JavaScript cannot copy private fields, so there is no deep copy.
   */
  readonly create?: () => M;
  /** Where the average is kept. Default: where the model is. */
  readonly device?: DeviceLike;
  /** How one parameter is averaged. Default: the mean of all. */
  readonly avgFn?: AverageFn;
  /** How all parameters are averaged, in place. */
  readonly multiAvgFn?: MultiAverageFn;
  /** Average buffers, too (batch norm's statistics); without it they are copied. Default false. */
  readonly useBuffers?: boolean;
}

/**
 * Keeps a running mean of a model's parameters: stochastic weight averaging (Izmailov et al., 2018), or an exponential moving average. It is
 * called as the model is. State: `n_averaged`, and the model's under `module.`, as in PyTorch. PyTorch: optim.swa_utils.AveragedModel.
 *
 * @throws ModuleError `ERR_AVERAGED_MODEL` where no model like the given one can be made.
 * @example
 * const ema = new AveragedModel(model, { create: () => new Net(64), multiAvgFn: getEmaMultiAvgFn(0.999) });
 * for (const batch of batches) { train(batch); ema.updateParameters(model); }
 * ema.eval();
 * ema(images);
 */
export class AveragedModel<M extends Module = Module> extends Module {
  static override readonly typeName = 'AveragedModel';
  /** The model that has the averages. */
  readonly module: M;
  /** How many were averaged. int32 here, int64 in PyTorch. */
  readonly n_averaged: Buffer;
  readonly #avgFn: AverageFn | undefined;
  readonly #multiAvgFn: MultiAverageFn | undefined;
  readonly #useBuffers: boolean;
  /** The count when the counter had this version: spares reading it back from the device. */
  #known: { version: number; count: number };

  constructor(model: M, options: AveragedModelOptions<M> = {}) {
    checkOptions('AveragedModel', options, AVERAGED_MODEL_OPTIONS);
    super();
    if (options.avgFn !== undefined && options.multiAvgFn !== undefined)
      throw new ModuleError('ERR_AVERAGED_MODEL', 'AveragedModel: Only one of avgFn and multiAvgFn should be provided');
    this.n_averaged = new Buffer(zeros([], { dtype: 'int32', ...(options.device === undefined ? {} : { device: options.device }) }));
    this.module = likeness(model, options);
    this.#avgFn = options.avgFn;
    this.#multiAvgFn = options.multiAvgFn;
    this.#useBuffers = options.useBuffers ?? false;
    this.#known = { version: this.n_averaged.version, count: 0 };
  }

  get nAveraged(): Tensor {
    return this.n_averaged;
  }

  forward(...args: Parameters<M['forward']>): ReturnType<M['forward']> {
    return (this.module as unknown as (...a: unknown[]) => ReturnType<M['forward']>)(...args);
  }

  /**
   * Takes the model's parameters into the average. PyTorch: update_parameters.
   * @throws NotSupportedError `ERR_SYNC_READ` after a state was loaded on a device that cannot be waited for: await {@link syncAsync} first.
   */
  updateParameters(model: Module): void {
    const count = this.#count();
    const own = tensorsOf(this.module, this.#useBuffers);
    const given = tensorsOf(model, this.#useBuffers);
    if (own.length !== given.length)
      throw new ModuleError('ERR_AVERAGED_MODEL', `AveragedModel: the model has ${given.length} parameters, the average ${own.length}`);
    noGrad(() =>
      scope(() => {
        const averaged = own.map((t) => t.detach());
        const current = given.map((t, i) => t.detach().to({ device: own[i]!.device, dtype: own[i]!.dtype }));
        if (count === 0) averaged.forEach((a, i) => a.copy_(current[i]!).realize());
        else if (this.#avgFn !== undefined) averaged.forEach((a, i) => a.copy_(this.#avgFn!(a, current[i]!, count)).realize());
        else (this.#multiAvgFn ?? getSwaMultiAvgFn())(averaged, current, count);
        if (!this.#useBuffers) {
          const buffers = [...model.buffers()];
          [...this.module.buffers()].forEach((b, i) => b.copy_(buffers[i]!.detach().to({ device: b.device })).realize());
        }
        this.n_averaged.add_(1).realize();
      }),
    );
    this.#known = { version: this.n_averaged.version, count: count + 1 };
  }

  /** Reads the count that was loaded, for devices that cannot be waited for. */
  async syncAsync(): Promise<void> {
    const { version } = this.n_averaged;
    this.#known = { version, count: await this.n_averaged.itemAsync() };
  }

  #count(): number {
    const { version } = this.n_averaged;
    if (this.#known.version !== version) this.#known = { version, count: this.n_averaged.item() };
    return this.#known.count;
  }
}

const tensorsOf = (model: Module, buffers: boolean): Tensor[] => [...model.parameters(), ...(buffers ? model.buffers() : [])];

/** Runs `fn`; what it draws to initialise parameters that are overwritten leaves no trace in the random numbers that follow. */
function withoutDrawing<T>(fn: () => T): T {
  const { generator } = runtimes.current;
  const state = generator.getState();
  try {
    return fn();
  } finally {
    generator.setState(state);
  }
}

/** A model like the given one, with its parameters' and buffers' values. */
function likeness<M extends Module>(model: M, { create, device }: AveragedModelOptions<M>): M {
  const fail = (why: string): never => {
    throw new ModuleError(
      'ERR_AVERAGED_MODEL',
      `AveragedModel: ${why}; give { create: () => … }, which makes another ${typeNameOf(model)} like it`,
    );
  };
  const make = model.constructor as new () => M;
  if (create === undefined && make.length > 0) fail(`${typeNameOf(model)} takes arguments`);
  const copy = withoutDrawing(() => (create === undefined ? new make() : create()));
  if (copy === model) fail('create gave the model itself');
  const target = device ?? tensorsOf(model, true)[0]?.device;
  if (target !== undefined) copy.to(target);
  try {
    copy.loadStateDict(model.stateDict());
  } catch (error) {
    if (!isTesseraError(error)) throw error;
    fail(`a new ${typeNameOf(copy)} does not have the model's parameters (${error.message.split('\n').slice(0, 2).join(' ').trim()})`);
  }
  copy.train(model.training);
  return copy;
}
