/** @file What schedulers do to momentum: `momentum` itself, or the first of Adam's betas. */
import { type LrGroup, refuseSchedule, type Schedulable } from './scheduler.js';

/** Is it the first beta that is cycled, rather than the momentum? @throws ValueError `ERR_SCHEDULER` where there is neither */
export function cyclesBeta1({ defaults }: Schedulable): boolean {
  if (!('momentum' in defaults) && !('betas' in defaults))
    refuseSchedule('optimizer must support momentum or beta1 with `cycle_momentum` option enabled');
  return 'betas' in defaults;
}

export function setMomentum(group: LrGroup, beta1: boolean, value: number): void {
  if (beta1) group.betas = [value, group.betas![1]];
  else group.momentum = value;
}

/** Both ends of the cycle, noted in each group; it starts at the upper one. */
export function noteMomenta(groups: readonly LrGroup[], beta1: boolean, base: readonly number[], max: readonly number[]): void {
  groups.forEach((group, i) => {
    setMomentum(group, beta1, max[i]!);
    group.maxMomentum = max[i]!;
    group.baseMomentum = base[i]!;
  });
}
