import { F, manualSeed, randint, type Tensor } from 'tessera';
import { describe, expect, it } from 'vitest';
import { GPT } from './model.js';
import { Characters, randomPieces } from './text.js';
import { sample, train } from './train.js';

describe('gpt', () => {
  it('learns a text, and goes on in its letters', async () => {
    const trained = await train({ device: 'cpu', steps: 25, lr: 5e-3, seed: 0, context: 32, width: 32, layers: 2 }, () => {});
    const { losses } = trained;
    expect(losses[0]!).toBeGreaterThan(3.5);
    expect(losses.at(-1)!).toBeLessThan(3.2);
    const text = await sample(trained, 'When ', 20);
    expect(text).toHaveLength(25);
    expect(text.startsWith('When ')).toBe(true);
  });

  it('looks at nothing that is still to come', () => {
    manualSeed(0);
    const model = new GPT({ vocabulary: 10, context: 8, width: 16, heads: 2, layers: 2 });
    const tokens = randint(10, [1, 8]);
    const changed = tokens.clone();
    changed.select(1, 7).copy_(tokens.select(1, 7).add(1).remainder(10));
    const before = (x: Tensor): Tensor => model(x).narrow(1, 0, 7);
    expect(before(tokens).sub(before(changed)).abs().max().item()).toBe(0);
    expect(model.parameters().length).toBe(new Set(model.parameters()).size);
  });

  it('takes pieces whose targets are one letter on', () => {
    const letters = new Characters('abcdef');
    const [input, target] = randomPieces(letters.encode('abcdefabcdef'), 3, 4);
    expect(F.pad(input, [0, 0]).add(1).remainder(6).toArray()).toEqual(target.toArray());
    expect(letters.decode([0, 2])).toBe('ac');
    expect(() => letters.encode('z')).toThrow(/'z'/);
  });
});
