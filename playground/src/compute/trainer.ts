/** @file Runs a session step by step, tells the page about it, and stands still when asked to. */
import { isTesseraError, runtimes } from 'tessera';
import type { EpochReport, MemoryRow, StepReport, StopReport } from '../shared/reports.js';
import { emit } from '../shared/rpc.js';
import type { Lock } from './lock.js';
import type { Session } from './session.js';
import { sourcePosition } from '../shared/source-position.js';

/** Reports are for eyes: no more than some 20 a second. */
const REPORT_EVERY = 50;
/** Steps whose accuracy and speed are averaged. */
const WINDOW = 20;

export const memoryRows = (): MemoryRow[] =>
  runtimes.current.devices.map((device) => {
    const { bytes, pooledBytes, buffers } = device.memory();
    return { device: device.id, bytes, pooledBytes, buffers };
  });

export class Trainer {
  #running = false;
  #loop: Promise<void> | null = null;

  constructor(
    readonly session: Session,
    readonly lock: Lock,
  ) {}

  /** Trains until {@link pause}, or for so many steps. */
  run(steps = Infinity): void {
    if (this.#running) return;
    this.#running = true;
    this.#loop = (this.#loop ?? Promise.resolve()).then(() => this.#train(steps));
  }

  /** Resolves when the step that runs is done. */
  async pause(): Promise<void> {
    this.#running = false;
    await this.#loop;
  }

  async #train(steps: number): Promise<void> {
    const { session } = this;
    const recent: { accuracy: number; images: number; milliseconds: number }[] = [];
    let losses: number[] = [];
    let kernels = 0;
    let told = 0;
    const report = (): void => {
      if (losses.length === 0) return;
      const sum = (pick: (step: (typeof recent)[number]) => number): number => recent.reduce((total, step) => total + pick(step), 0);
      const message: StepReport = {
        step: session.step,
        epoch: session.epoch,
        device: session.device,
        losses,
        accuracy: sum((s) => s.accuracy * s.images) / sum((s) => s.images),
        imagesPerSecond: (1000 * sum((s) => s.images)) / sum((s) => s.milliseconds),
        kernels,
        learningRate: session.learningRate,
        memory: memoryRows(),
      };
      emit('step', message);
      losses = [];
      told = performance.now();
    };
    try {
      let left = steps;
      while (this.#running && left > 0) {
        const device = session.device;
        const step = await this.lock.run(() => session.next());
        if (step === null) {
          report();
          await this.#endEpoch();
          continue;
        }
        left--;
        // What another device did says nothing of this one's speed.
        if (session.device !== device) recent.length = 0;
        recent.push(step);
        if (recent.length > WINDOW) recent.shift();
        losses.push(step.loss);
        kernels = step.kernels;
        if (performance.now() - told > REPORT_EVERY) report();
      }
      report();
      if (left === 0) emit('paused', null);
    } catch (error) {
      report();
      emit('stopped', stopOf(error));
    } finally {
      this.#running = false;
    }
  }

  async #endEpoch(): Promise<void> {
    const { session } = this;
    const { loss, accuracy } = await this.lock.run(() => session.evaluate());
    const message: EpochReport = { epoch: session.epoch - 1, step: session.step, testAccuracy: accuracy, testLoss: loss };
    emit('epoch', message);
  }
}

function stopOf(error: unknown): StopReport {
  const position = error instanceof Error ? sourcePosition(error.stack) : undefined;
  return {
    reason: error instanceof Error ? error.message : String(error),
    ...(isTesseraError(error) && { code: error.code }),
    ...(position !== undefined && { position }),
  };
}
