/** @file A profiler in a loop: some steps are recorded, and nothing is measured in the others. */
import { describe, expect, it } from 'vitest';
import {
  init,
  type Profile,
  Profiler,
  profilerSchedule,
  type ProfilerScheduleOptions,
  randn,
  recordFunction,
  toDevice,
} from '../src/index.js';

const x = randn([32, 32]).realize();
const work = (): void => void x.matmul(x).exp().sum().item();

/** What PyTorch's schedule does in each of the first 14 steps: n(one), w(armup), r(ecord), S(ave). */
const PYTORCH: [ProfilerScheduleOptions, string][] = [
  [{ wait: 1, warmup: 1, active: 2, repeat: 2 }, 'nwrSnwrSnnnnnn'],
  [{ wait: 0, warmup: 0, active: 1, repeat: 3 }, 'SSSnnnnnnnnnnn'],
  [{ wait: 2, warmup: 0, active: 2, skipFirst: 3 }, 'nnnnnrSnnrSnnr'],
  [{ wait: 2, warmup: 1, active: 1, repeat: 2, skipFirst: 2, skipFirstWait: true }, 'nnwSnnwSnnnnnn'],
  [{ wait: 0, warmup: 2, active: 3 }, 'wwrrSwwrrSwwrr'],
];

describe('profilerSchedule', () => {
  it.each(PYTORCH)('%j is as in PyTorch', (options, expected) => {
    const schedule = profilerSchedule(options);
    const letters = { none: 'n', warmup: 'w', record: 'r', recordAndSave: 'S' };
    expect(Array.from({ length: 14 }, (_, step) => letters[schedule(step)]).join('')).toBe(expected);
  });

  it('refuses what is no number of steps', () => {
    for (const wrong of [{ active: 0 }, { wait: -1 }, { warmup: 0.5 }, { repeat: NaN }])
      expect(() => profilerSchedule({ wait: 1, warmup: 1, active: 1, ...wrong })).toThrow(
        expect.objectContaining({ code: 'ERR_PROFILER' }),
      );
    expect(() => profilerSchedule({ wait: 1, warmup: 1, activ: 1 } as never)).toThrow(/Did you mean 'active'/);
  });
});

describe('a profiler with a schedule', () => {
  it('hands over a profile a cycle, with the steps in it, and measures nothing in between', () => {
    const device = toDevice('cpu');
    const own = device.kernels;
    const ready: { profile: Profile; step: number }[] = [];
    const profiler = new Profiler({
      schedule: profilerSchedule({ wait: 1, warmup: 1, active: 2, repeat: 2 }),
      onTraceReady: (profile, step) => ready.push({ profile, step }),
    }).start();
    const measured: boolean[] = [];
    for (let step = 0; step < 10; step++) {
      expect(profiler.stepNumber).toBe(step);
      measured.push(device.kernels !== own);
      work();
      profiler.step();
    }
    const last = profiler.stop();
    expect(measured.map((m) => (m ? 'm' : '.')).join('')).toBe('.mmm.mmm..');
    expect(device.kernels).toBe(own);
    expect(ready.map((r) => r.step)).toEqual([3, 7]);
    expect(last).toBe(ready[1]!.profile);
    const steps = last.spans.filter((s) => s.name.startsWith('ProfilerStep#')).map((s) => s.name);
    expect(steps).toEqual(['ProfilerStep#6', 'ProfilerStep#7']);
    expect(last.byOp().find((r) => r.name === 'ProfilerStep*')).toMatchObject({ calls: 2 });
    expect(last.kernels.filter((k) => k.name === 'matmul')).toHaveLength(2);
    const trace = JSON.parse(last.exportChromeTrace()) as { traceEvents: { name: string }[] };
    expect(trace.traceEvents.map((e) => e.name)).toEqual(expect.arrayContaining(['ProfilerStep#6', 'matmul']));
  });

  it('that is stopped in a cycle hands over what it has; in a warm-up, nothing', () => {
    const run = (steps: number): { names: string[]; handed: number } => {
      let handed = 0;
      const profiler = new Profiler({
        schedule: profilerSchedule({ wait: 0, warmup: 1, active: 3, repeat: 1 }),
        onTraceReady: () => void handed++,
      }).start();
      for (let step = 0; step < steps; step++) {
        work();
        profiler.step();
      }
      work();
      return { names: profiler.stop().spans.flatMap((s) => (s.kind === 'user' ? [s.name] : [])), handed };
    };
    expect(run(0)).toEqual({ names: [], handed: 0 });
    expect(run(2)).toEqual({ names: ['ProfilerStep#1', 'ProfilerStep#2'], handed: 1 });
    expect(run(9)).toEqual({ names: ['ProfilerStep#1', 'ProfilerStep#2', 'ProfilerStep#3'], handed: 1 });
  });

  it('closes what is open in a step with it', () => {
    const profiler = new Profiler({ schedule: profilerSchedule({ wait: 0, warmup: 0, active: 2 }) }).start();
    recordFunction('all', () => {
      work();
      profiler.step();
      work();
    });
    expect(profiler.stop().spans.flatMap((s) => (s.kind === 'user' ? [s.name] : []))).toEqual(['all', 'ProfilerStep#0', 'ProfilerStep#1']);
  });

  it('waits for devices in stepAsync, on any device', async () => {
    await init({ device: 'wasm' });
    const names: string[] = [];
    const profiler = new Profiler({
      schedule: profilerSchedule({ wait: 0, warmup: 0, active: 1, repeat: 2 }),
      onTraceReady: (profile) => names.push(...profile.devices.map((d) => d.id)),
    }).start();
    for (let step = 0; step < 2; step++) {
      const a = randn([16, 16]);
      // oxlint-disable-next-line no-await-in-loop -- a loop of steps
      await a.matmul(a).sum().itemAsync();
      // oxlint-disable-next-line no-await-in-loop -- as above
      await profiler.stepAsync();
    }
    await profiler.stopAsync();
    expect(names.filter((id) => id === 'wasm')).toHaveLength(2);
    await init({ device: 'cpu' });
  });

  it('says what is wrong', () => {
    const plain = new Profiler();
    expect(() => plain.step()).toThrow(/was not started/);
    plain.start();
    expect(() => plain.step()).toThrow(/has no schedule/);
    expect(() => plain.start()).toThrow(/started already/);
    expect(() => new Profiler().start()).toThrow(/one at a time/);
    plain.stop();
    expect(() => plain.stop()).toThrow(/was not started/);
  });
});
