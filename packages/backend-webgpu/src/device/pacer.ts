/// <reference types="@webgpu/types" />
/**
 * @file The pacer: how far the caller may be ahead of the GPU. A loop that never reads gives work faster than a slow device does it, and what waits in
 * the driver takes memory (18 kB for a submit of 30 dispatches in Dawn): without a limit it grows for as long as the loop runs. Like the
 * executor it travels as source text.
 */

export interface Pacer {
  /** Call after each submit, with their number so far. */
  submitted(submits: number): void;
  /** Null where more may be given; else a promise of some progress, after which to ask again. */
  ready(submits: number): Promise<void> | null;
}

export function createPacer(device: GPUDevice): Pacer {
  /** Submits that may wait in the driver: enough to bridge a pause of the caller's thread, such as a garbage collection. */
  const MOST = 64;
  /** Submits between the questions how far the device is. */
  const STRIDE = 8;
  const lost = device.lost.then(() => undefined);
  const questions: { readonly at: number; readonly answer: Promise<void> }[] = [];
  let done = 0;

  return {
    submitted(submits) {
      if (submits % STRIDE !== 0) return;
      const answered = (): void => {
        done = submits;
        while (questions.length > 0 && questions[0].at <= done) questions.shift();
      };
      questions.push({ at: submits, answer: Promise.race([device.queue.onSubmittedWorkDone(), lost]).then(answered, answered) });
    },
    ready(submits) {
      return submits - done <= MOST || questions.length === 0 ? null : questions[0].answer;
    },
  };
}
