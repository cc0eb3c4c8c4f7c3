/**
 * @file The activations of torch.nn.functional that are no methods of Tensor. Options that PyTorch's functions have come in an object;
 * `inplace: true` writes to the input.
 */
import { ValueError } from '../errors.js';
import { DTYPE_INFO } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Value } from '../tensor/value.js';
import { fromHost } from './creation.js';
import { inPlace, requireFloat, unary, type UnaryOp } from './define.js';
import type { Expression } from './expression.js';
import { drawsOnHost, generatorOf, type NoiseOptions, philoxUniform } from './nn/noise.js';
import type { ShrinkOptions } from './activations.js';
import { choose } from './where.js';
import { checkOptions, type OptionNames } from '../options.js';

const ALPHA_ACTIVATION_OPTIONS: OptionNames<AlphaActivationOptions> = { alpha: true, inplace: true };
const GELU_OPTIONS: OptionNames<{ readonly approximate?: 'none' | 'tanh' }> = { approximate: true };
const HARDTANH_OPTIONS: OptionNames<HardtanhOptions> = { minVal: true, maxVal: true, inplace: true };
const SHRINK_OPTIONS: OptionNames<ShrinkOptions> = { lambd: true };
const INPLACE_OPTIONS: OptionNames<InplaceOptions> = { inplace: true };
const RRELU_OPTIONS: OptionNames<RreluOptions> = { lower: true, upper: true, training: true, inplace: true, rng: true, generator: true };
const LEAKY_RELU_OPTIONS: OptionNames<LeakyReluOptions> = { negativeSlope: true, inplace: true };
const SOFTPLUS_OPTIONS: OptionNames<SoftplusOptions> = { beta: true, threshold: true };

export interface InplaceOptions {
  /** Writes the result into the input. Default false. */
  readonly inplace?: boolean;
}

const floats =
  (name: string) =>
  (x: Tensor): void =>
    requireFloat(name, x);

/** A declared op and its in-place form behind the `inplace` option. */
function choosing<O extends readonly unknown[]>(op: UnaryOp<O>): (x: Tensor, inplace: boolean | undefined, ...options: O) => Tensor {
  const write = inPlace(op);
  return (x, inplace, ...options) => (inplace === true ? write(x, ...options) : op(x, ...options));
}

const relu6Of = choosing(
  unary('relu6', {
    forward: (e, x) => e.min(e.max(x, 0), 6),
    backward: (grad, _x, out) => grad.maskedFill(out.le(0).logicalOr(out.ge(6)), 0),
    saves: 'out',
  }),
);
/** min(max(x, 0), 6). PyTorch: F.relu6. */
export const relu6 = (x: Tensor, options: InplaceOptions = {}): Tensor =>
  relu6Of(x, checkOptions('relu6', options, INPLACE_OPTIONS).inplace);

export interface LeakyReluOptions extends InplaceOptions {
  /** Default 0.01. */
  readonly negativeSlope?: number;
}
const leakyReluOf = choosing(
  unary<[number]>('leakyRelu', {
    forward: (e, x, slope) => e.where(e.gt(x, 0), x, e.mul(x, slope)),
    backward: (grad, x, _out, slope) => choose(x.gt(0), grad, grad.mul(slope)),
    check: floats('leakyRelu'),
  }),
);
/** x for x > 0, negativeSlope · x elsewhere. PyTorch: F.leaky_relu. */
export const leakyRelu = (x: Tensor, options: LeakyReluOptions = {}): Tensor =>
  leakyReluOf(x, checkOptions('leakyRelu', options, LEAKY_RELU_OPTIONS).inplace, options.negativeSlope ?? 0.01);

export interface AlphaActivationOptions extends InplaceOptions {
  /** Default 1. */
  readonly alpha?: number;
}
/** scale · x for x > 0, scale · alpha · (e^(inner · x) − 1) elsewhere: elu, selu and celu are cases of it. */
const expLinear = choosing(
  unary<[alpha: number, scale: number, inner: number]>('elu', {
    forward: (e, x, alpha, scale, inner) =>
      e.where(e.gt(x, 0), scale === 1 ? x : e.mul(x, scale), e.mul(e.expm1(inner === 1 ? x : e.mul(x, inner)), alpha * scale)),
    backward: (grad, x, _out, alpha, scale, inner) =>
      grad.mul(
        choose(
          x.gt(0),
          scale,
          x
            .mul(inner)
            .exp()
            .mul(alpha * scale * inner),
        ),
      ),
    check: floats('elu'),
  }),
);
/** x for x > 0, alpha · (e^x − 1) elsewhere (Clevert, Unterthiner and Hochreiter, 2016). PyTorch: F.elu. */
export const elu = (x: Tensor, options: AlphaActivationOptions = {}): Tensor =>
  expLinear(x, checkOptions('elu', options, ALPHA_ACTIVATION_OPTIONS).inplace, options.alpha ?? 1, 1, 1);
/** elu with the scales that keep mean 0 and variance 1 (Klambauer et al., 2017). PyTorch: F.selu. */
export const selu = (x: Tensor, options: InplaceOptions = {}): Tensor =>
  expLinear(
    x,
    checkOptions('selu', options, INPLACE_OPTIONS).inplace,
    1.6732632423543772848170429916717,
    1.0507009873554804934193349852946,
    1,
  );
/** max(x, 0) + min(alpha · (e^(x / alpha) − 1), 0) (Barron, 2017). PyTorch: F.celu. */
export function celu(x: Tensor, options: AlphaActivationOptions = {}): Tensor {
  checkOptions('celu', options, ALPHA_ACTIVATION_OPTIONS);
  const alpha = options.alpha ?? 1;
  if (alpha === 0) throw new ValueError('ERR_CELU', 'celu: ZeroDivisionError: alpha cannot be 0 for CELU', { op: 'celu' });
  return expLinear(x, options.inplace, alpha, 1, 1 / alpha);
}

const erfGelu: UnaryOp = /* @__PURE__ */ unary('gelu', {
  forward: (e, x) => e.mul(e.mul(x, 0.5), e.add(e.erf(e.mul(x, Math.SQRT1_2)), 1)),
  // Φ(x) + x φ(x)
  backward: (grad, x) =>
    grad.mul(
      x
        .mul(Math.SQRT1_2)
        .erf()
        .add(1)
        .mul(0.5)
        .add(x.mul(x.mul(x).mul(-0.5).exp()).mul(1 / Math.sqrt(2 * Math.PI))),
    ),
  check: floats('gelu'),
});
/** 2u = 2 √(2/π) (x + 0.044715 x³) = x (CUBIC x² + LINEAR); (1 + tanh u) / 2 is σ(2u), which takes fewer steps and keeps its bits where tanh u is near −1. */
const LINEAR = 2 * Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715 * LINEAR;
const tanhGelu: UnaryOp = /* @__PURE__ */ unary('geluTanh', {
  // x / (1 + e^−2u), as a power of 2
  forward: (e, x) => e.div(x, e.add(e.exp2(e.mul(x, e.add(e.mul(e.mul(x, x), -Math.LOG2E * CUBIC), -Math.LOG2E * LINEAR))), 1)),
  // σ(2u) + x σ'(2u) 2u'
  backward: (grad, x) => {
    const square = x.mul(x);
    const s = square.mul(CUBIC).add(LINEAR).mul(x).sigmoid();
    const slope = square.mul(3 * CUBIC).add(LINEAR);
    return grad.mul(s.add(x.mul(s).mul(s.neg().add(1)).mul(slope)));
  },
  check: floats('gelu'),
});
/**
 * x · Φ(x), the normal distribution function; `approximate: 'tanh'` takes Hendrycks and Gimpel's approximation. PyTorch: F.gelu.
 * @throws ValueError `ERR_GELU` for another approximation.
 */
export function gelu(x: Tensor, options: { readonly approximate?: 'none' | 'tanh' } = {}): Tensor {
  checkOptions('gelu', options, GELU_OPTIONS);
  const { approximate = 'none' } = options;
  if (approximate === 'none') return erfGelu(x);
  if (approximate === 'tanh') return tanhGelu(x);
  throw new ValueError('ERR_GELU', 'gelu: approximate argument must be either none or tanh.', { op: 'gelu' });
}

const siluOf = choosing(
  unary('silu', {
    forward: (e, x) => e.div(x, e.add(e.exp(e.neg(x)), 1)),
    backward: (grad, x) => {
      const s = x.sigmoid();
      return grad.mul(s.mul(x.mul(s.neg().add(1)).add(1)));
    },
    check: floats('silu'),
  }),
);
/** x · sigmoid x. PyTorch: F.silu. */
export const silu = (x: Tensor, options: InplaceOptions = {}): Tensor => siluOf(x, checkOptions('silu', options, INPLACE_OPTIONS).inplace);

/** ln(1 + e^x) without overflow. */
const softplusOf = (e: Expression, x: Value): Value => e.add(e.max(x, 0), e.log1p(e.exp(e.neg(e.abs(x)))));
const mishOf = choosing(
  unary('mish', {
    forward: (e, x) => e.mul(x, e.tanh(softplusOf(e, x))),
    backward: (grad, x) => {
      const s = x.sigmoid();
      const t = softplus(x).tanh();
      return grad.mul(t.add(x.mul(s).mul(t.mul(t).neg().add(1))));
    },
    check: floats('mish'),
  }),
);
/** x · tanh(softplus x) (Misra, 2019). PyTorch: F.mish. */
export const mish = (x: Tensor, options: InplaceOptions = {}): Tensor => mishOf(x, checkOptions('mish', options, INPLACE_OPTIONS).inplace);

export interface SoftplusOptions {
  /** Default 1. */
  readonly beta?: number;
  /** Above it, beta · x is taken for large: the result is x. Default 20. */
  readonly threshold?: number;
}
const softplusWith: UnaryOp<[number, number]> = /* @__PURE__ */ unary<[number, number]>('softplus', {
  forward: (e, x, beta, threshold) => {
    const scaled = beta === 1 ? x : e.mul(x, beta);
    return e.where(e.gt(scaled, threshold), x, e.div(e.log1p(e.exp(scaled)), beta));
  },
  backward: (grad, x, _out, beta, threshold) => choose(x.mul(beta).gt(threshold), grad, grad.mul(x.mul(beta).sigmoid())),
  check: floats('softplus'),
});
/** ln(1 + e^(beta · x)) / beta. PyTorch: F.softplus. */
export const softplus = (x: Tensor, options: SoftplusOptions = {}): Tensor =>
  softplusWith(x, checkOptions('softplus', options, SOFTPLUS_OPTIONS).beta ?? 1, options.threshold ?? 20);

/** −softplus(−x). PyTorch: F.logsigmoid. */
export const logsigmoid: UnaryOp = /* @__PURE__ */ unary('logsigmoid', {
  forward: (e, x) => e.sub(e.min(x, 0), e.log1p(e.exp(e.neg(e.abs(x))))),
  backward: (grad, x) => grad.mul(x.neg().sigmoid()),
  check: floats('logsigmoid'),
});

export interface HardtanhOptions extends InplaceOptions {
  /** Default −1. */
  readonly minVal?: number;
  /** Default 1. */
  readonly maxVal?: number;
}
const hardtanhOf = choosing(
  unary<[number, number]>('hardtanh', {
    forward: (e, x, low, high) => e.min(e.max(x, low), high),
    backward: (grad, x, _out, low, high) => grad.maskedFill(x.le(low).logicalOr(x.ge(high)), 0),
    check: (x) => {
      if (x.dtype === 'bool')
        throw new ValueError('ERR_DTYPE', 'hardtanh: Bool inputs not supported for hardtanh', { op: 'hardtanh', dtypes: ['bool'] });
    },
  }),
);
/** x bounded to [minVal, maxVal]. PyTorch: F.hardtanh. */
export function hardtanh(x: Tensor, options: HardtanhOptions = {}): Tensor {
  checkOptions('hardtanh', options, HARDTANH_OPTIONS);
  const low = options.minVal ?? -1;
  const high = options.maxVal ?? 1;
  if (low > high) throw new ValueError('ERR_HARDTANH', 'hardtanh: min_val cannot be greater than max_val', { op: 'hardtanh' });
  if (x.dtype === 'uint8' && (low < 0 || high < 0))
    throw new ValueError('ERR_HARDTANH', 'hardtanh: cannot do hardtanh on an unsigned type with negative limits', { op: 'hardtanh' });
  return hardtanhOf(x, options.inplace, low, high);
}

const hardswishOf = choosing(
  unary('hardswish', {
    forward: (e, x) => e.div(e.mul(x, e.min(e.max(e.add(x, 3), 0), 6)), 6),
    backward: (grad, x) => choose(x.le(-3), 0, choose(x.lt(3), grad.mul(x.div(3).add(0.5)), grad)),
    check: floats('hardswish'),
  }),
);
/** x · relu6(x + 3) / 6. PyTorch: F.hardswish. */
export const hardswish = (x: Tensor, options: InplaceOptions = {}): Tensor =>
  hardswishOf(x, checkOptions('hardswish', options, INPLACE_OPTIONS).inplace);

const hardsigmoidOf = choosing(
  unary('hardsigmoid', {
    forward: (e, x) => e.div(e.min(e.max(e.add(x, 3), 0), 6), 6),
    backward: (grad, x) => choose(x.gt(-3).logicalAnd(x.lt(3)), grad.mul(1 / 6), 0),
    check: floats('hardsigmoid'),
  }),
);
/** relu6(x + 3) / 6. PyTorch: F.hardsigmoid. */
export const hardsigmoid = (x: Tensor, options: InplaceOptions = {}): Tensor =>
  hardsigmoidOf(x, checkOptions('hardsigmoid', options, INPLACE_OPTIONS).inplace);

const softshrinkOf: UnaryOp<[number]> = /* @__PURE__ */ unary<[number]>('softshrink', {
  forward: (e, x, lambd) => e.where(e.gt(x, lambd), e.sub(x, lambd), e.where(e.lt(x, -lambd), e.add(x, lambd), e.mul(x, 0))),
  backward: (grad, x, _out, lambd) => grad.maskedFill(x.abs().le(lambd), 0),
  check: floats('softshrink'),
});
/** x moved toward 0 by lambd, and 0 within that. PyTorch: F.softshrink. */
export function softshrink(x: Tensor, options: ShrinkOptions = {}): Tensor {
  checkOptions('softshrink', options, SHRINK_OPTIONS);
  const lambd = options.lambd ?? 0.5;
  if (lambd < 0)
    throw new ValueError('ERR_SOFTSHRINK', `softshrink: lambda must be greater or equal to 0, but found to be ${lambd}.`, {
      op: 'softshrink',
    });
  return softshrinkOf(x, lambd);
}

/** x − tanh x. PyTorch: F.tanhshrink. */
export const tanhshrink: UnaryOp = /* @__PURE__ */ unary('tanhshrink', {
  result: 'float',
  forward: (e, x) => e.sub(x, e.tanh(x)),
  backward: (grad, x) => grad.mul(x.tanh().square()),
});

/** x / (1 + |x|). PyTorch: F.softsign. */
export const softsign: UnaryOp = /* @__PURE__ */ unary('softsign', {
  result: 'float',
  forward: (e, x) => e.div(x, e.add(e.abs(x), 1)),
  backward: (grad, x) => grad.div(x.abs().add(1).square()),
});

const thresholdOf = choosing(
  unary<[number, number]>('threshold', {
    forward: (e, x, threshold, value) =>
      e.where(e.le(x, threshold), DTYPE_INFO[x.dtype].category === 'float' ? value : Math.trunc(value), x),
    backward: (grad, x, _out, threshold) => grad.maskedFill(x.le(threshold), 0),
  }),
);
/** x where x > threshold, `value` elsewhere. PyTorch: F.threshold. */
export function threshold(x: Tensor, limit: number, value: number, options: InplaceOptions = {}): Tensor {
  checkOptions('threshold', options, INPLACE_OPTIONS);
  for (const given of [limit, value])
    if (typeof given !== 'number')
      throw new ValueError('ERR_ARGUMENT', `threshold: threshold and value must be numbers, not ${String(given)}`, { op: 'threshold' });
  return thresholdOf(x, options.inplace, limit, value);
}

/** The sigmoid of the second half times the first. PyTorch: F.glu. */
export function glu(x: Tensor, dim = -1): Tensor {
  const size = x.size(dim);
  if (size % 2 !== 0)
    throw new ValueError('ERR_GLU', `glu: Halving dimension must be even, but dimension ${dim} is size ${size}`, {
      op: 'glu',
      shapes: [x.shape],
    });
  return x.narrow(dim, 0, size / 2).mul(x.narrow(dim, size / 2, size / 2).sigmoid());
}

export interface RreluOptions extends InplaceOptions, NoiseOptions {
  /** Default 1/8. */
  readonly lower?: number;
  /** Default 1/3. */
  readonly upper?: number;
  /** Draw slopes; without it the mean slope is taken. Default false. */
  readonly training?: boolean;
}
/** As leakyRelu, each negative element with a slope drawn from [lower, upper). PyTorch: F.rrelu. */
export function rrelu(x: Tensor, options: RreluOptions = {}): Tensor {
  checkOptions('rrelu', options, RRELU_OPTIONS);
  const lower = options.lower ?? 1 / 8;
  const upper = options.upper ?? 1 / 3;
  if (lower > upper)
    throw new ValueError(
      'ERR_RRELU',
      `rrelu: Lower bound should be less than or equal to the upper bound, but they are ${lower} and ${upper}`,
      { op: 'rrelu' },
    );
  requireFloat('rrelu', x);
  if (options.training !== true) return leakyReluOf(x, options.inplace, (lower + upper) / 2);
  const slope = drawsOnHost('rrelu', options)
    ? slopesLikeTorch(x, lower, upper, options)
    : choose(
        x.detach().le(0),
        philoxUniform(x.shape, x.dtype, x.device, options)
          .mul(upper - lower)
          .add(lower),
        1,
      );
  return options.inplace === true ? x.mul_(slope) : x.mul(slope);
}

/** PyTorch draws in order, and for the elements ≤ 0 only: which they are has to be read. */
function slopesLikeTorch(x: Tensor, lower: number, upper: number, options: NoiseOptions): Tensor {
  const generator = generatorOf(options);
  const data = x.detach().data();
  const slopes = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) slopes[i] = data[i]! <= 0 ? generator.nextFloat64() * (upper - lower) + lower : 1;
  return fromHost(slopes, x.shape, x.dtype, x.device);
}
