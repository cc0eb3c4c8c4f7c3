/** @file One at a time: a step, a prediction and a switch of the backend must not run into each other where they await. */

export class Lock {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `task` when all that were asked for before it are done. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
