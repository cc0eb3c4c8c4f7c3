import { randn } from 'tessera';
import { describe, expect, it } from 'vitest';
import { ResNet } from './model.js';
import { train } from './train.js';

describe('resnet', () => {
  it('learns digits', async () => {
    const { losses, accuracy } = await train({ device: 'cpu', steps: 24, lr: 0.02, seed: 0 }, () => {}, 8);
    const mean = (some: readonly number[]): number => some.reduce((sum, l) => sum + l, 0) / some.length;
    expect(losses).toHaveLength(24);
    expect(mean(losses.slice(-5))).toBeLessThan(mean(losses.slice(0, 5)) / 1.8);
    // Its running statistics are behind after so few steps; 1 in 10 is chance.
    expect(accuracy).toBeGreaterThan(0.2);
  });

  it('halves the sizes from stage to stage, whatever they are', () => {
    const model = new ResNet([2, 2], { channels: 3, classes: 5, width: 4 });
    expect(model(randn(2, 3, 17, 20)).shape).toEqual([2, 5]);
    expect(model.layers.length).toBe(4);
    expect(model.stateDict().has('layers.2.downsample.0.weight')).toBe(true);
  });
});
