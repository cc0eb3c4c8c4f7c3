/** @file The correctly rounded logarithm, sine and cosine, against values from 60-digit arithmetic. */
import { describe, expect, it } from 'vitest';
import { logDouble, sinCosDouble } from '../src/random/double-math.js';
import { Generator } from '../src/random/index.js';

describe('logDouble', () => {
  it.each([
    [0.9999999999999999, -1.1102230246251565e-16],
    [0.999, -0.0010005003335835344],
    [0.7071067811865476, -0.3465735902799726],
    [0.7071067811865475, -0.34657359027997275],
    [0.3141592653589793, -1.1578552071446455],
    [0.001, -6.907755278982137],
    [1.2345678901234568e-10, -22.815129907624804],
  ])('log(%d) is %d', (x, log) => expect(logDouble(x)).toBe(log));

  it('is exact at powers of two, down to the smallest that a uniform number gives', () => {
    expect(logDouble(1)).toBe(0);
    expect(logDouble(0.5)).toBe(-0.6931471805599453);
    expect(logDouble(2 ** -53)).toBe(-36.7368005696771);
  });
});

describe('sinCosDouble', () => {
  it.each([
    [1e-9, 1e-9, 1.0],
    [0.7853981633974483, 0.7071067811865475, 0.7071067811865476],
    [0.7853981633974484, 0.7071067811865476, 0.7071067811865475],
    [1.0471975511965976, 0.8660254037844386, 0.5000000000000001],
    [2.5, 0.5984721441039565, -0.8011436155469337],
    [3.9, -0.6877661591839738, -0.7259323042001402],
    [4.71238898038469, -1.0, -1.8369701987210297e-16],
    [5.5, -0.7055403255703919, 0.70866977429126],
    [6.283185307179586, -2.4492935982947064e-16, 1.0],
  ])('of %d: %d, %d', (x, sin, cos) => {
    const out = new Float64Array(2);
    sinCosDouble(x, out);
    expect([...out]).toEqual([sin, cos]);
  });

  it('is at home in all quadrants and at their borders', () => {
    const out = new Float64Array(2);
    sinCosDouble(0, out);
    expect([...out]).toEqual([0, 1]);
    sinCosDouble(Math.PI, out); // the sine is what the double misses of pi
    expect([...out]).toEqual([1.2246467991473532e-16, -1]);
    sinCosDouble(2 * Math.PI, out);
    expect([...out]).toEqual([-2.4492935982947064e-16, 1]);
  });
});

it('stays within a unit in the last place of the engine’s own functions', () => {
  const g = new Generator(1);
  const out = new Float64Array(2);
  let worst = 0;
  for (let i = 0; i < 20_000; i++) {
    const x = 1 - g.nextFloat64();
    const angle = 2 * Math.PI * g.nextFloat64();
    sinCosDouble(angle, out);
    for (const [value, rough] of [
      [logDouble(x), Math.log(x)],
      [out[0], Math.sin(angle)],
      [out[1], Math.cos(angle)],
    ]) {
      worst = Math.max(worst, Math.abs(value - rough) / Math.abs(rough || 1));
    }
  }
  expect(worst).toBeLessThan(2 ** -51);
});
