import { manualSeed } from 'tessera';
import { describe, expect, it } from 'vitest';
import { Classifier } from './model.js';
import { praise, train } from './train.js';

describe('lstm-text', () => {
  it('learns to tell good reviews from bad ones', async () => {
    const trained = await train({ device: 'cpu', steps: 60, lr: 1e-2, seed: 0 }, () => {});
    const mean = (losses: readonly number[]): number => losses.reduce((sum, l) => sum + l, 0) / losses.length;
    expect(mean(trained.losses.slice(-5))).toBeLessThan(mean(trained.losses.slice(0, 5)) / 2);
    expect(trained.accuracy).toBeGreaterThan(0.9);
    expect(await praise(trained, 'a warm and lovely story')).toBeGreaterThan(await praise(trained, 'a dull and terrible story'));
  });

  it('answers for a sentence what it answers for it in any company', () => {
    manualSeed(1);
    const model = new Classifier(20, 8, 8);
    model.eval();
    const [alone] = model([[3, 4, 5]]).toArray() as number[];
    const [, among] = model([
      [1, 2],
      [3, 4, 5],
      [6, 7, 8, 9, 10],
    ]).toArray() as number[];
    expect(among).toBeCloseTo(alone!, 5);
  });
});
