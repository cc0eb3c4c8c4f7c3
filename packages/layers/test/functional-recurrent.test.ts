import { cpuPlugin } from '@tessera/backend-cpu';
import { cat, manualSeed, randn, runtimes, type Tensor } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { F } from '../src/index.js';

beforeAll(() => {
  runtimes.current.use(cpuPlugin);
  manualSeed(1);
});

/** The largest difference; infinite between different shapes. */
const apart = (a: Tensor, b: Tensor): number => (a.shape.join() === b.shape.join() ? a.sub(b).abs().amax().item() : Infinity);
const parameters = (gates: number, input: number, hidden: number): Tensor[] => [
  randn(gates * hidden, input),
  randn(gates * hidden, hidden),
  randn(gates * hidden),
  randn(gates * hidden),
];

describe('recurrent layers', () => {
  it('step by step is the whole sequence', () => {
    const weights = parameters(4, 3, 2);
    const x = randn(4, 2, 3);
    const [output, [hn, cn]] = F.lstm(x, null, [weights]);
    let state: readonly [Tensor, Tensor] | null = null;
    for (let t = 0; t < 4; t++) {
      const [part, next]: [Tensor, [Tensor, Tensor]] = F.lstm(x.narrow(0, t, 1), state, [weights]);
      expect(apart(part.squeeze(0), output.select(0, t))).toBeLessThan(1e-6);
      state = next;
    }
    expect(apart(state![0], hn)).toBeLessThan(1e-6);
    expect(apart(state![1], cn)).toBeLessThan(1e-6);
  });

  it('takes the batch first, or none', () => {
    const weights = [parameters(3, 3, 2)];
    const x = randn(5, 2, 3);
    const [output, hn] = F.gru(x, null, weights);
    expect(apart(F.gru(x.transpose(0, 1), null, weights, { batchFirst: true })[0].transpose(0, 1), output)).toBeLessThan(1e-6);
    const [single, last] = F.gru(x.select(1, 0), null, weights);
    expect(apart(single, output.select(1, 0))).toBeLessThan(1e-6);
    expect(apart(last, hn.select(1, 0))).toBeLessThan(1e-6);
  });

  it('runs backwards over a reversed sequence as forwards over the plain one', () => {
    const w = parameters(1, 3, 2);
    const x = randn(4, 1, 3);
    const reversed = cat(
      [3, 2, 1, 0].map((t) => x.narrow(0, t, 1)),
      0,
    );
    const [both] = F.rnnTanh(x, null, [w, w], { bidirectional: true });
    const [forwards] = F.rnnTanh(reversed, null, [w]);
    const backwards = cat(
      [3, 2, 1, 0].map((t) => forwards.narrow(0, t, 1)),
      0,
    );
    expect(apart(both.narrow(2, 2, 2), backwards)).toBeLessThan(1e-6);
  });

  it('gives packed sequences what each gets alone, in both directions', () => {
    const weights = [parameters(4, 3, 2), parameters(4, 3, 2)];
    const long = randn(3, 3);
    const short = randn(1, 3);
    // Times 0, 1, 2: two sequences go on, then one.
    const packed = cat([long.narrow(0, 0, 1), short, long.narrow(0, 1, 2)], 0);
    const [output, [hn, cn]] = F.lstm(packed, null, weights, { bidirectional: true, batchSizes: [2, 1, 1] });
    const [alone, [h, c]] = F.lstm(long, null, weights, { bidirectional: true });
    expect(apart(cat([output.narrow(0, 0, 1), output.narrow(0, 2, 2)], 0), alone)).toBeLessThan(1e-6);
    expect(apart(hn.select(1, 0), h)).toBeLessThan(1e-6);
    expect(apart(cn.select(1, 0), c)).toBeLessThan(1e-6);
    const [other, [hs]] = F.lstm(short, null, weights, { bidirectional: true });
    expect(apart(output.narrow(0, 1, 1), other)).toBeLessThan(1e-6);
    expect(apart(hn.select(1, 1), hs)).toBeLessThan(1e-6);
  });

  it('refuses states of another size', () => {
    expect(() => F.gru(randn(2, 1, 3), randn(1, 1, 5), [parameters(3, 3, 2)])).toThrow(/Expected hidden size \(1, 1, 2\)/);
  });
});
