import { ones } from 'tessera';
import { describe, expect, it } from 'vitest';
import { fromHuggingFace } from './key-map.js';
import { compareWithReference, loadBert } from './reference.js';
import { train } from './train.js';

describe('bert', () => {
  it('loads weights under Hugging Face’s names and answers as the reference does', async () => {
    expect(await compareWithReference('cpu')).toBeLessThan(2e-5);
  });

  it('maps names, joins projections, and says what is missing', async () => {
    const ours = fromHuggingFace(
      new Map(
        [
          'embeddings.LayerNorm.gamma',
          'encoder.layer.3.attention.self.query.bias',
          'encoder.layer.3.attention.self.key.bias',
          'encoder.layer.3.attention.self.value.bias',
          'embeddings.position_ids',
          'cls.predictions.bias',
        ].map((name) => [name, ones(2)]),
      ),
    );
    expect([...ours].map(([name, t]) => [name, t.shape])).toEqual([
      ['norm.weight', [2]],
      ['encoder.layers.3.self_attn.in_proj_bias', [6]],
    ]);
    expect(() => fromHuggingFace(new Map([['encoder.layer.0.attention.self.key.bias', ones(2)]]))).toThrow(/no query/);
    const bert = await loadBert('bert');
    expect(() => bert.loadStateDict(ours)).toThrow(/Missing key/);
  });

  it('learns to tell good reviews from bad ones', async () => {
    const losses = await train({ device: 'cpu', steps: 40, lr: 3e-3, seed: 0 }, () => {});
    const mean = (some: readonly number[]): number => some.reduce((sum, l) => sum + l, 0) / some.length;
    expect(mean(losses.slice(-5))).toBeLessThan(mean(losses.slice(0, 5)) / 2);
  });
});
