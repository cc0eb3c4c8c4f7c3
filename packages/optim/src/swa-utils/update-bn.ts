/** @file Batch norm's statistics for averaged parameters. PyTorch: torch.optim.swa_utils.update_bn. */
import { checkOptions, type OptionNames, type DeviceLike, isTensor, type Module, noGrad, scope, type Tensor } from '@tessera/core';

const UPDATE_BN_OPTIONS: OptionNames<UpdateBnOptions> = { device: true };

interface BatchNormLike extends Module {
  momentum: number | null;
  resetRunningStats(): void;
}

/** Batch norms of any package: a class named BatchNorm…, with running statistics. Instance norms have those too. */
function isBatchNorm(module: Module): module is BatchNormLike {
  if (!('resetRunningStats' in module) || !('momentum' in module)) return false;
  for (let c: unknown = module.constructor; typeof c === 'function'; c = Object.getPrototypeOf(c)) {
    const { typeName } = c as { typeName?: unknown };
    if (typeof typeName === 'string' && typeName.includes('BatchNorm')) return true;
  }
  return false;
}

export interface UpdateBnOptions {
  /** Where inputs are moved to first. */
  readonly device?: DeviceLike;
}

/**
 * One pass over the data in training mode, after which each batch norm's running statistics are the mean over all batches. For a model whose
 * parameters are averages: the statistics that it has belong to others. A batch that is an array gives its first entry.
 * PyTorch: optim.swa_utils.update_bn.
 *
 * @example await updateBn(loader, averaged);
 */
export async function updateBn(
  loader: Iterable<unknown> | AsyncIterable<unknown>,
  model: Module,
  options: UpdateBnOptions = {},
): Promise<void> {
  const { device } = checkOptions('updateBn', options, UPDATE_BN_OPTIONS);
  const norms = [...model.modules()].filter(isBatchNorm);
  if (norms.length === 0) return;
  const momenta = norms.map((norm) => norm.momentum);
  const wasTraining = model.training;
  model.train();
  for (const norm of norms) {
    noGrad(() => norm.resetRunningStats());
    norm.momentum = null;
  }
  try {
    for await (const batch of loader) {
      const given = (Array.isArray(batch) ? batch[0] : batch) as unknown;
      const input = device !== undefined && isTensor(given) ? await given.toAsync({ device }) : given;
      await run(model, input);
    }
  } finally {
    norms.forEach((norm, i) => (norm.momentum = momenta[i]!));
    model.train(wasTraining);
  }
}

/** Calls the model for its statistics only. An async model records what follows its first await: nothing reads it. */
async function run(model: Module, input: unknown): Promise<void> {
  let pending: unknown;
  scope(() => {
    noGrad(() => {
      const output: unknown = (model as unknown as (x: unknown) => unknown)(input as Tensor);
      if (output instanceof Promise) pending = output;
    });
  });
  await pending;
}
