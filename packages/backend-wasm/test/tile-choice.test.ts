/** @file The trial of tiles decides by compiled code only, and for the first tile when in doubt. Times are given, in ms. */
import { describe, expect, it } from 'vitest';
import { fastest } from '../src/matmul/tile-choice.js';

/** A tile that takes `slow` until a compiler is done after `wait` runs, then `fast`; at each of the `disturbed` runs 5 ms more. */
function tile(slow: number, fast: number, wait: number, disturbed: readonly number[] = []): () => number {
  let run = 0;
  return () => {
    run++;
    return (run > wait ? fast : slow) + (disturbed.includes(run) ? 5 : 0);
  };
}

describe('the fastest tile', () => {
  it('is the first one where it is', () => {
    expect(fastest([tile(0.2, 0.04, 3), tile(0.17, 0.055, 3)])).toBe(0);
  });

  it('is another one that is clearly faster, also when runs are disturbed', () => {
    expect(fastest([tile(0.2, 0.05, 3), tile(0.17, 0.04, 5)])).toBe(1);
    expect(fastest([tile(0.2, 0.05, 3, [1, 6, 7, 8]), tile(0.17, 0.04, 3, [6, 9])])).toBe(1);
  });

  it('is the first one when another is faster by little', () => {
    expect(fastest([tile(0.2, 0.042, 3), tile(0.17, 0.04, 3)])).toBe(0);
  });

  it('is not chosen by how fast code is that is not compiled yet', () => {
    // Neither is; only the second is; the first is, as it seems, but because its first runs were disturbed.
    expect(fastest([tile(0.2, 0.04, Infinity), tile(0.17, 0.05, Infinity)])).toBe(0);
    expect(fastest([tile(0.2, 0.04, Infinity), tile(0.17, 0.05, 3)])).toBe(0);
    expect(fastest([tile(0.2, 0.04, Infinity, [1, 2]), tile(0.17, 0.05, 3)])).toBe(0);
  });

  it('is the first one where an engine shows no faster form', () => {
    expect(fastest([tile(0.05, 0.05, 0), tile(0.04, 0.04, 0)])).toBe(0);
  });

  it('is found after some ms of trial', () => {
    let spent = 0;
    const counted = (run: () => number) => (): number => {
      const time = run();
      spent += time;
      return time;
    };
    fastest([counted(tile(0.2, 0.04, Infinity)), counted(tile(0.17, 0.05, Infinity))]);
    expect(spent).toBeLessThan(12);
  });
});
