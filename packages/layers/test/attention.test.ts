import { cpuPlugin } from '@tessera/backend-cpu';
import { manualSeed, noGrad, ones, randn, runtimes, tensor, type Tensor, type TesseraError } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import * as nn from '../src/index.js';

beforeAll(() => {
  runtimes.current.use(cpuPlugin);
});

const close = (a: Tensor, b: Tensor): void => expect(a.sub(b).abs().max().item()).toBeLessThan(1e-5);

describe('MultiheadAttention', () => {
  it('gives the same output with weights as without, where the fused attention runs', () => {
    const attention = new nn.MultiheadAttention(12, 3, { batchFirst: true });
    const x = randn(2, 5, 12);
    const mask = ones(5, 5).triu(1).to('bool');
    const [plain, weights] = attention(x, x, x, { attnMask: mask });
    const [fused, none] = attention(x, x, x, { attnMask: mask, needWeights: false });
    close(plain, fused);
    expect(none).toBeNull();
    expect(weights!.shape).toEqual([2, 5, 5]);
    close(weights!.sum(-1), ones(2, 5));
    expect(attention(x, x, x, { averageAttnWeights: false })[1]!.shape).toEqual([2, 3, 5, 5]);
    close(fused, attention(x, x, x, { attnMask: mask, needWeights: false, isCausal: true })[0]);
  });

  it('takes keys and values of other widths, each with a projection', () => {
    const attention = new nn.MultiheadAttention(8, 2, { kdim: 5, vdim: 7 });
    expect([...attention.stateDict().keys()]).toEqual([
      'q_proj_weight',
      'k_proj_weight',
      'v_proj_weight',
      'in_proj_bias',
      'out_proj.weight',
      'out_proj.bias',
    ]);
    const [y, weights] = attention(randn(3, 2, 8), randn(4, 2, 5), randn(4, 2, 7));
    expect(y.shape).toEqual([3, 2, 8]);
    expect(weights!.shape).toEqual([2, 3, 4]);
  });

  it('does not look at padding, nor at what a mask hides', () => {
    const attention = new nn.MultiheadAttention(4, 2, { addBiasKv: true, addZeroAttn: true });
    const [q, kv] = [randn(2, 1, 4), randn(3, 1, 4)];
    const padding = tensor([[false, false, true]], { dtype: 'bool' });
    const [, weights] = attention(q, kv, kv, { keyPaddingMask: padding });
    expect(weights!.shape).toEqual([1, 2, 5]);
    expect(weights!.select(2, 2).toArray()).toEqual([[0, 0]]);
    const other = kv.clone();
    other.select(0, 2).fill_(9);
    close(attention(q, kv, kv, { keyPaddingMask: padding })[0], attention(q, other, other, { keyPaddingMask: padding })[0]);
  });

  it('refuses what does not fit, with codes', () => {
    const code = (run: () => unknown): string => {
      try {
        run();
      } catch (error) {
        return (error as TesseraError).code;
      }
      return 'none';
    };
    expect(code(() => new nn.MultiheadAttention(10, 3))).toBe('ERR_LAYER_OPTION');
    const attention = new nn.MultiheadAttention(4, 2);
    const x = randn(3, 1, 4);
    expect(code(() => attention(randn(3, 1, 5), x, x))).toBe('ERR_ATTENTION_SHAPE');
    expect(code(() => attention(x, x, x, { attnMask: ones(2, 2) }))).toBe('ERR_ATTENTION_MASK');
    expect(code(() => attention(x, x, x, { isCausal: true }))).toBe('ERR_ATTENTION_MASK');
  });
});

describe('Transformer', () => {
  it('is made of layers that begin equal and are separate, as copies of one', () => {
    const encoder = new nn.TransformerEncoder(new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16 }), 2);
    const [first, second] = [...encoder.layers].map((l) => (l as nn.TransformerEncoderLayer).linear1.weight);
    close(first!, second!);
    noGrad(() => first!.zero_());
    expect(second!.abs().sum().item()).toBeGreaterThan(0);
  });

  it('draws what one layer draws, however many copies it makes', () => {
    const after = (count: number): number => {
      manualSeed(1);
      const layer = new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16 });
      return new nn.TransformerEncoder(layer, count).numLayers && randn(1).item();
    };
    expect(after(1)).toBe(after(3));
  });

  it('takes a function that makes the layers, and refuses layers that it cannot copy', () => {
    class Mine extends nn.Module {
      forward(x: Tensor): Tensor {
        return x.add(1);
      }
    }
    const encoder = new nn.TransformerEncoder(() => new Mine(), 3);
    expect(encoder(ones(1)).item()).toBe(4);
    expect(() => new nn.TransformerEncoder(new Mine() as never, 3)).toThrow(/clone/);
  });

  it('lets no position see what comes after it', () => {
    const model = new nn.Transformer({ dModel: 8, nhead: 2, numEncoderLayers: 1, numDecoderLayers: 1, dimFeedforward: 16, dropout: 0 });
    const [src, tgt] = [randn(3, 1, 8), randn(4, 1, 8)];
    const tgtMask = nn.Transformer.generateSquareSubsequentMask(4);
    const changed = tgt.clone();
    changed.select(0, 3).fill_(5);
    close(model(src, tgt, { tgtMask }).narrow(0, 0, 3), model(src, changed, { tgtMask }).narrow(0, 0, 3));
    expect(() => model(src, randn(4, 2, 8))).toThrow(/batch number/);
    expect(() => model(src, randn(4, 1, 6))).toThrow(/feature number/);
  });
});
