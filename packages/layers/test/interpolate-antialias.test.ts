/** @file interpolate with antialias, against PyTorch 2.9's float64 values and gradients. */
import { cpuPlugin } from '@tessera/backend-cpu';
import { arange, grad, runtimes, type Shape, type Tensor, tensor, zeros } from '@tessera/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { F } from '../src/index.js';

beforeAll(() => {
  runtimes.current.use(cpuPlugin);
});

/** Numbers without a pattern that a mean could hide. */
const scattered = (shape: Shape, factor: number, period: number, shift: number, dtype: 'float32' | 'float64'): Tensor => {
  const length = shape.reduce((n, size) => n * size, 1);
  return tensor(
    Array.from({ length }, (_, i) => ((i * factor) % period) / 8 + shift),
    { dtype },
  ).reshape(shape);
};
const input = (shape: Shape, dtype: 'float32' | 'float64'): Tensor => scattered(shape, 37, 23, -1.25, dtype);
const cotangent = (shape: Shape, dtype: 'float32' | 'float64'): Tensor => scattered(shape, 13, 11, -0.5, dtype);

interface Case {
  readonly options: F.InterpolateOptions;
  readonly from: Shape;
  readonly to: Shape;
  readonly out: readonly number[];
  readonly gradient: readonly number[];
}

const CASES: readonly Case[] = [
  {
    options: { mode: 'bilinear', size: [3, 2] },
    from: [1, 1, 7, 5],
    to: [1, 1, 3, 2],
    out: [-0.1769481, 0.4480519, 0.05247326, 0.3699866, 0.2280844, -0.1923701],
    gradient: [
      -0.05681818, -0.07711039, -0.06087662, -0.04464286, -0.02840909, -0.06818182, -0.09186402, -0.0697097, -0.04755539, -0.02941176,
      -0.03409091, -0.04359244, -0.02315699, -0.002721543, 0.001671123, -1.766264e-17, 0.004679144, 0.02339572, 0.0421123, 0.03275401,
      0.03409091, 0.05381016, 0.07424561, 0.09468105, 0.06985294, 0.06818182, 0.1029412, 0.1250955, 0.1472498, 0.1069519, 0.05681818,
      0.08522727, 0.101461, 0.1176948, 0.08522727,
    ],
  },
  {
    options: { mode: 'bilinear', size: [3, 7] },
    from: [1, 1, 5, 4],
    to: [1, 1, 3, 7],
    out: [
      -0.7142857, -0.5293367, -0.2334184, -0.1428571, -0.05229592, 0.2436224, 0.4285714, 0.6111111, 0.4375, 0.1597222, -0.1180556,
      -0.327381, -0.05753968, 0.1111111, 0.3392857, 0.377551, 0.4387755, 0.7053571, 0.8839286, 0.2410714, -0.1607143,
    ],
    gradient: [
      -0.377551, 0.02040816, 0.4897959, 0.08163265, -0.2871315, 0.1720522, 0.3137755, 0.0175737, -0.009920635, 0.3918651, -0.1339286,
      -0.109127, 0.2638889, 0.4513889, -0.1645408, 0.1476757, 0.3571429, 0.3928571, -0.1479592, 0.255102,
    ],
  },
  {
    options: { mode: 'bilinear', size: [3, 2], alignCorners: true },
    from: [1, 1, 6, 5],
    to: [1, 1, 3, 2],
    out: [0.06944444, 0.4305556, 0.1364815, 0.3272222, -0.000462963, -0.06527778],
    gradient: [
      -0.02946128, -0.04124579, -0.05008418, -0.05597643, -0.06186869, -0.03787879, -0.0530303, -0.06328283, -0.06863636, -0.0739899,
      -0.02104377, -0.02946128, -0.03021886, -0.0233165, -0.01641414, -0.004208754, -0.005892256, 0.002845118, 0.02200337, 0.04116162,
      0.02777778, 0.03888889, 0.07166667, 0.1261111, 0.1805556, 0.06481481, 0.09074074, 0.1524074, 0.2498148, 0.3472222,
    ],
  },
  {
    options: { mode: 'bilinear', scaleFactor: [0.7, 0.45] },
    from: [1, 1, 5, 7],
    to: [1, 1, 3, 3],
    out: [-0.1186314, 0.164704, -0.0788797, 0.09307359, 0.159176, 0.3365095, -0.02623586, -0.003533889, 0.2422168],
    gradient: [
      -0.1231269, -0.1529664, -0.1096025, -0.06795592, -0.03489628, -0.001836646, 0.0, -0.02682503, -0.02130979, 0.01903657, 0.05936806,
      0.09962521, 0.1398824, 0.08171835, 0.02952916, 0.05386412, 0.08763789, 0.1223372, 0.1616641, 0.200991, 0.1168261, -0.08307538,
      -0.09910327, -0.05928867, -0.02051006, 0.01308858, 0.04668721, 0.02791844, -0.0318915, -0.03851033, -0.0244242, -0.0107497,
      0.0008666141, 0.01248293, 0.007548762,
    ],
  },
  {
    options: { mode: 'bilinear', scaleFactor: [0.7, 0.45], recomputeScaleFactor: true },
    from: [1, 1, 5, 7],
    to: [1, 1, 3, 3],
    out: [-0.04464286, 0.0934874, 0.0625, 0.03869048, 0.1633987, 0.3055556, -0.122449, 0.1554622, 0.07270408],
    gradient: [
      -0.1020408, -0.1308523, -0.09483794, -0.05882353, -0.03361345, -0.008403361, 0.0, -0.05668934, -0.06779378, -0.0330799, 0.001633987,
      0.03664799, 0.071662, 0.05952381, 0.04960317, 0.07586368, 0.09512138, 0.1143791, 0.1546452, 0.1949113, 0.1488095, -0.03755669,
      -0.04168334, -0.008995265, 0.02369281, 0.06073263, 0.09777244, 0.07865646, -0.07653061, -0.09603842, -0.06272509, -0.02941176,
      -0.0015006, 0.02641056, 0.0255102,
    ],
  },
  {
    options: { mode: 'bicubic', size: [3, 2] },
    from: [1, 1, 7, 5],
    to: [1, 1, 3, 2],
    out: [-0.2501325, 0.504703, 0.007749649, 0.3993833, 0.2305272, -0.2063682],
    gradient: [
      -0.06324531, -0.08261927, -0.07060989, -0.04855821, -0.02989698, -0.07379808, -0.09513629, -0.07742202, -0.04869661, -0.02833016,
      -0.04241699, -0.05136634, -0.03151108, -0.007174244, 0.0008503777, -0.003275383, 0.003052568, 0.02506671, 0.04351581, 0.03634116,
      0.03526254, 0.05803409, 0.0862645, 0.1022262, 0.07852991, 0.06627976, 0.1021432, 0.1349602, 0.1485828, 0.1117477, 0.05773102,
      0.08775844, 0.1128111, 0.1218195, 0.09107935,
    ],
  },
  {
    options: { mode: 'bicubic', size: [6, 3] },
    from: [1, 1, 4, 5],
    to: [1, 1, 6, 3],
    out: [
      -0.5505314, 0.07549725, 0.4783148, -0.4908371, 0.1351915, 0.538009, -0.3964744, 0.2295543, 0.6323718, -0.313141, 0.3128876, 0.7157051,
      -0.2187783, 0.4072503, 0.8100679, -0.159084, 0.4669446, 0.8697621,
    ],
    gradient: [
      -0.2239485, -0.1835595, -0.001012492, 0.1878647, 0.2313457, -0.08056847, -0.007081115, 0.1432739, 0.2579441, 0.2443011, 0.05314069,
      0.1858912, 0.2852852, -0.03419948, -0.2166478, 0.1955624, 0.3668246, 0.4445464, 0.06969658, -0.1686591,
    ],
  },
  {
    options: { mode: 'bicubic', size: [2, 3], alignCorners: true },
    from: [1, 1, 6, 5],
    to: [1, 1, 2, 3],
    out: [-0.1561274, 0.2998386, 0.4141501, 0.2481041, -0.2356819, 0.2632107],
    gradient: [
      -0.03980622, -0.04834781, -0.03586003, -0.03536705, -0.04686887, -0.04953886, -0.05934752, -0.04218448, -0.03672055, -0.04295572,
      -0.04825754, -0.05581257, -0.03514396, -0.01801079, -0.004413064, -0.02949993, -0.02872912, -0.005451672, 0.03684776, 0.09816917,
      0.003035612, 0.01711222, 0.04267218, 0.1219169, 0.2548464, 0.03965557, 0.06819067, 0.09529739, 0.2130683, 0.4215035,
    ],
  },
  {
    options: { mode: 'bicubic', scaleFactor: 0.4 },
    from: [1, 1, 7, 6],
    to: [1, 1, 2, 2],
    out: [0.1416009, 0.104621, 0.4234369, -0.03613246],
    gradient: [
      -0.05923924, -0.07657014, -0.06294075, -0.04035979, -0.0237866, -0.008033795, -0.07135392, -0.09129614, -0.07215727, -0.04275603,
      -0.02382953, -0.007968016, -0.04250402, -0.05128376, -0.03083928, -0.00600877, 0.001823584, 0.0009304278, -0.007609095, -0.003977685,
      0.01486474, 0.03159308, 0.02721734, 0.009696544, 0.00317172, 0.008921166, 0.02226032, 0.03243356, 0.02619211, 0.009261133,
      0.001520083, 0.003673519, 0.008309721, 0.0117641, 0.009441362, 0.003335803, 0.0001085226, -0.0001011401, -0.0008305302, -0.0014418,
      -0.001204084, -0.0004274462,
    ],
  },
  {
    options: { mode: 'bicubic', size: [1, 1], alignCorners: true },
    from: [1, 1, 4, 3],
    to: [1, 1, 1, 1],
    out: [-1.810547],
    gradient: [-0.6328125, 0.0703125, 0.0, 0.0703125, -0.0078125, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
  },
];

const name = ({ options, from }: Case): string => `${from[2]} × ${from[3]} with ${JSON.stringify(options)}`;

describe('interpolate with antialias', () => {
  for (const dtype of ['float32', 'float64'] as const) {
    it.each(CASES.map((one) => [name(one), one] as const))(`gives PyTorch’s values and gradients in ${dtype}: %s`, (_, one) => {
      const x = input(one.from, dtype).requiresGrad_();
      const y = F.interpolate(x, { ...one.options, antialias: true });
      expect(y.shape).toEqual(one.to);
      const [gradient] = grad([y], [x], { gradOutputs: [cotangent(one.to, dtype)] });
      const near = (got: Tensor, expected: readonly number[]): void =>
        got.data().forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(2e-6));
      near(y, one.out);
      near(gradient!, one.gradient);
    });
  }

  it('means what a place stands for, where plain interpolation picks a few neighbours', () => {
    const stripes = arange(64, { dtype: 'float32' }).remainder(8).eq(0).float().reshape([1, 1, 8, 8]); // 1 in column 0
    const size = [2, 2];
    expect(F.interpolate(stripes, { size, mode: 'bilinear' }).sum().item()).toBe(0);
    expect(F.interpolate(stripes, { size, mode: 'bilinear', antialias: true }).sum().item()).toBeGreaterThan(0.1);
  });

  it('leaves a dim alone that keeps its size, and never answers the input itself', () => {
    const x = input([1, 2, 4, 3], 'float32');
    const y = F.interpolate(x, { scaleFactor: 1.2, mode: 'bicubic', antialias: true });
    expect(y.toArray()).toEqual(x.toArray());
    expect(y).not.toBe(x);
  });

  it('resizes one column as it does one row', () => {
    const column = input([1, 1, 5, 1], 'float64');
    const row = column.reshape([1, 1, 1, 5]);
    const options = { mode: 'bilinear', antialias: true } as const;
    expect(
      F.interpolate(column, { ...options, size: [9, 1] })
        .flatten()
        .toArray(),
    ).toEqual(
      F.interpolate(row, { ...options, size: [1, 9] })
        .flatten()
        .toArray(),
    );
  });

  it('is for bilinear and bicubic, and for floats', () => {
    const refused = expect.objectContaining({
      code: 'ERR_INTERPOLATE',
      message: expect.stringMatching(/Anti-alias option is restricted/) as string,
    });
    for (const mode of ['nearest', 'nearest-exact', 'area'] as const)
      expect(() => F.interpolate(zeros(1, 1, 4, 4), { size: 2, mode, antialias: true })).toThrow(refused);
    expect(() => F.interpolate(zeros(1, 1, 4), { size: 2, mode: 'linear', antialias: true })).toThrow(refused);
    expect(() => F.interpolate(zeros(1, 1, 4, 4, 4), { size: 2, mode: 'trilinear', antialias: true })).toThrow(refused);
    expect(() => F.interpolate(zeros(1, 1, 4, 4).int(), { size: 2, mode: 'bilinear', antialias: true })).toThrow(
      expect.objectContaining({ code: 'ERR_ANTIALIAS' }),
    );
  });
});
