/** @file LRScheduler: sets the learning rate of each group, epoch by epoch. PyTorch: torch.optim.lr_scheduler.LRScheduler. */
import { ValueError } from '@tessera/core';
import type { Optimizer } from '../optimizer.js';
import { toCamelCase, toSnakeCase } from '../names.js';

/** An optimizer whose groups have a learning rate. */
export type WithLr = Optimizer<{ lr: number } & object>;
interface LrGroup {
  lr: number;
  initialLr?: number;
}

export interface SchedulerOptions {
  /** The epoch to go on from; −1 (the default) starts anew. */
  readonly lastEpoch?: number;
}

/**
 * The base of schedulers. `getLr` gives the learning rates of an epoch, mostly from those of the one before, as PyTorch's chainable forms do.
 *
 * @example
 * const scheduler = new StepLR(optimizer, 30, { gamma: 0.1 });
 * for (let epoch = 0; epoch < 100; epoch++) { train(); scheduler.step(); }
 */
export abstract class LRScheduler {
  static readonly typeName: string = 'LRScheduler';
  readonly optimizer: WithLr;
  /** The learning rates that the groups started with. */
  baseLrs: number[];
  lastEpoch: number;
  #lastLr: number[] = [];

  constructor(optimizer: { readonly paramGroups: readonly LrGroup[] } & object, options: SchedulerOptions = {}) {
    this.optimizer = optimizer as unknown as WithLr;
    this.lastEpoch = options.lastEpoch ?? -1;
    for (const [i, group] of this.groups.entries()) {
      if (this.lastEpoch === -1) group.initialLr = group.lr;
      else if (group.initialLr === undefined) {
        throw new ValueError('ERR_SCHEDULER', `param 'initial_lr' is not specified in param_groups[${i}] when resuming an optimizer`);
      }
    }
    this.baseLrs = this.groups.map((g) => g.initialLr!);
  }

  protected get groups(): LrGroup[] {
    return this.optimizer.paramGroups as unknown as LrGroup[];
  }

  /** Sets epoch 0's learning rates: the last act of each subclass's constructor, when its fields are there. */
  protected start(): void {
    this.step();
  }

  /** The learning rates of epoch `lastEpoch`. */
  protected abstract getLr(): number[];

  /** To the next epoch. */
  step(): void {
    this.lastEpoch++;
    this.apply(this.getLr());
  }

  protected apply(lrs: readonly number[]): void {
    this.groups.forEach((group, i) => (group.lr = lrs[i]!));
    this.#lastLr = this.groups.map((g) => g.lr);
  }

  /** The learning rates that were set last. PyTorch: get_last_lr. */
  getLastLr(): number[] {
    return this.#lastLr;
  }

  /** Its numbers, under PyTorch's names. */
  stateDict(): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(this)) {
      if (name !== 'optimizer' && typeof value !== 'function') out[toSnakeCase(name)] = value;
    }
    out['_last_lr'] = [...this.#lastLr];
    return out;
  }

  loadStateDict(state: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(state)) {
      if (name === '_last_lr') this.#lastLr = [...(value as number[])];
      else if (Object.hasOwn(this, toCamelCase(name))) (this as Record<string, unknown>)[toCamelCase(name)] = value;
    }
  }
}
