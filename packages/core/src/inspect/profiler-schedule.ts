/** @file Which steps of a loop a profiler records. PyTorch: torch.profiler.schedule. */
import { checkOptions, type OptionNames } from '../options.js';
import { ValueError } from '../errors.js';

/**
 * What is done in a step: nothing; measuring that is thrown away, so that what happens only once (compiling, filling caches) is over; recording; and
 * recording as the last step of a profile. PyTorch: ProfilerAction.
 */
export type ProfilerAction = 'none' | 'warmup' | 'record' | 'recordAndSave';

/** From the number of a step, from 0, to what is done in it. One of your own may do anything. */
export type ProfilerSchedule = (step: number) => ProfilerAction;

export interface ProfilerScheduleOptions {
  /** Steps of each cycle in which nothing is measured. */
  readonly wait: number;
  /** Steps that are measured and thrown away. */
  readonly warmup: number;
  /** Steps that are recorded, into one profile a cycle. */
  readonly active: number;
  /** How many cycles. Default 0: without end. */
  readonly repeat?: number;
  /** Steps before the first cycle. Default 0. */
  readonly skipFirst?: number;
  /** Leave out the wait of the first cycle: it is the `skipFirst`. Default false. */
  readonly skipFirstWait?: boolean;
}

const OPTIONS: OptionNames<ProfilerScheduleOptions> = {
  wait: true,
  warmup: true,
  active: true,
  repeat: true,
  skipFirst: true,
  skipFirstWait: true,
};

/**
 * Cycles of waiting, warming up and recording. PyTorch: torch.profiler.schedule.
 *
 * @throws ValueError `ERR_OPTION`, `ERR_PROFILER` for numbers that are no numbers of steps, or no step to record.
 * @example new Profiler({ schedule: profilerSchedule({ wait: 10, warmup: 1, active: 3, repeat: 1 }), onTraceReady: (p) => console.log(p.table()) })
 */
export function profilerSchedule(options: ProfilerScheduleOptions): ProfilerSchedule {
  checkOptions('profilerSchedule', options, OPTIONS);
  const { wait, warmup, active, repeat = 0, skipFirst = 0, skipFirstWait = false } = options;
  for (const [name, steps] of Object.entries({ wait, warmup, active, repeat, skipFirst }))
    if (!Number.isSafeInteger(steps) || steps < (name === 'active' ? 1 : 0))
      throw new ValueError(
        'ERR_PROFILER',
        `profilerSchedule: ${name} must be a whole number from ${name === 'active' ? 1 : 0}, not ${String(steps)}`,
      );
  const cycle = wait + warmup + active;
  return (step) => {
    if (step < skipFirst) return 'none';
    const at = step - skipFirst + (skipFirstWait ? wait : 0);
    if (repeat > 0 && at >= repeat * cycle) return 'none';
    const within = at % cycle;
    if (within < wait) return 'none';
    if (within < wait + warmup) return 'warmup';
    return within === cycle - 1 ? 'recordAndSave' : 'record';
  };
}
