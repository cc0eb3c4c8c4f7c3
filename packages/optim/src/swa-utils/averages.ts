/** @file Running means of parameters. PyTorch: torch.optim.swa_utils.get_ema_avg_fn and its like. */
import { noGrad, type Tensor, Update, ValueError } from '@tessera/core';

/** The new average from the old one, the current value, and how many were averaged so far. */
export type AverageFn = (averaged: Tensor, current: Tensor, numAveraged: number) => Tensor;
/** The same for many, in place. */
export type MultiAverageFn = (averaged: readonly Tensor[], current: readonly Tensor[], numAveraged: number) => void;

/** From the nearer end, as PyTorch's lerp. */
const fromAverage = new Update('average', 1, (e, [a, c], [w]) => [e.add(a!, e.mul(w!, e.sub(c!, a!)))]);
const fromCurrent = new Update('average.new', 1, (e, [a, c], [w]) => [e.sub(c!, e.mul(e.sub(c!, a!), e.sub(1, w!)))]);

/** averaged ← averaged + weight·(current − averaged): one kernel for each tensor. */
function blend(averaged: readonly Tensor[], current: readonly Tensor[], weight: number): void {
  averaged.forEach((a, i) => {
    const c = current[i]!;
    if (a.isFloatingPoint()) (weight < 0.5 ? fromAverage : fromCurrent).run([a, c], [weight]);
    else noGrad(() => a.copy_(a.mul(1 - weight).add(c.mul(weight))).realize());
  });
}

function checkDecay(decay: number): void {
  if (!(decay >= 0 && decay <= 1))
    throw new ValueError('ERR_AVERAGE_DECAY', `Invalid decay value ${decay} provided. Please provide a value in [0,1] range.`);
}

/**
 * The exponential moving average: decay·averaged + (1 − decay)·current. PyTorch: get_ema_multi_avg_fn.
 * @throws ValueError `ERR_AVERAGE_DECAY` unless the decay is in [0, 1].
 * @example new AveragedModel(model, { multiAvgFn: getEmaMultiAvgFn(0.999) })
 */
export function getEmaMultiAvgFn(decay = 0.999): MultiAverageFn {
  checkDecay(decay);
  return (averaged, current) => blend(averaged, current, 1 - decay);
}

/** The mean of all so far, each with the same weight. PyTorch: get_swa_multi_avg_fn. */
export function getSwaMultiAvgFn(): MultiAverageFn {
  return (averaged, current, numAveraged) => blend(averaged, current, 1 / (numAveraged + 1));
}

/** As {@link getEmaMultiAvgFn}, for one tensor. PyTorch: get_ema_avg_fn. */
export function getEmaAvgFn(decay = 0.999): AverageFn {
  checkDecay(decay);
  return (averaged, current) => noGrad(() => averaged.mul(decay).add(current.mul(1 - decay)));
}

/** As {@link getSwaMultiAvgFn}, for one tensor. PyTorch: get_swa_avg_fn. */
export function getSwaAvgFn(): AverageFn {
  return (averaged, current, numAveraged) => noGrad(() => averaged.add(current.sub(averaged).div(numAveraged + 1)));
}
