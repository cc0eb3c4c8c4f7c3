/** @file How far a loader is in its data, and the way back to there. */
import { FormatError, Generator } from '@tessera/core';

/** How far a pass over the data is. */
export interface DataLoaderState {
  /** The state of the loader's generator when the pass began; between passes, the one that it has. */
  readonly generator: Uint8Array;
  /** Batches of this pass that were given out; 0 between passes. */
  readonly batches: number;
}

/**
 * Checks a state that came from a file.
 * @throws FormatError `ERR_DATA_LOADER_STATE`
 */
export function readState(state: unknown, length: number): DataLoaderState {
  const { generator, batches } = (state ?? {}) as Partial<DataLoaderState>;
  if (!(generator instanceof Uint8Array) || typeof batches !== 'number' || !Number.isSafeInteger(batches) || batches < 0)
    throw new FormatError('ERR_DATA_LOADER_STATE', 'DataLoader.loadStateDict: this is no state of a loader: { generator, batches }');
  if (batches > length)
    throw new FormatError(
      'ERR_DATA_LOADER_STATE',
      `DataLoader.loadStateDict: the state is at batch ${batches}, and there are ${length} here`,
      {
        batches,
        length,
      },
    );
  new Generator(0).setState(generator);
  return { generator, batches };
}

/** The batches of a resumed pass that were given out before. */
export class Skip {
  readonly #done: () => void;

  /** @param done Called once they are all skipped. */
  constructor(
    public left: number,
    done: () => void,
  ) {
    this.#done = done;
  }

  /** Is the next batch one of them? */
  takes(): boolean {
    if (this.left === 0) return false;
    if (--this.left === 0) this.#done();
    return true;
  }

  /** At the end of the data. @throws FormatError `ERR_DATA_LOADER_STATE` when some are left to skip: the data became shorter. */
  finish(): void {
    if (this.left > 0)
      throw new FormatError('ERR_DATA_LOADER_STATE', `DataLoader: the resumed pass was ${this.left} batches further than the data go`);
  }
}
