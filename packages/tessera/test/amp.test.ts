/** @file Mixed precision: which op computes in what (PyTorch's lists), training under autocast, and the loss scaler. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  amp,
  autocast,
  checkpoint,
  type DType,
  einsum,
  enterAutocast,
  F,
  grad,
  linalg,
  manualSeed,
  nn,
  noGrad,
  ones,
  optim,
  rand,
  randn,
  type Tensor,
  tensor,
  zeros,
} from '../src/index.js';
import * as tessera from '../src/index.js';

interface Fixture {
  readonly float16: readonly string[];
  readonly float32: readonly string[];
  readonly promote: readonly string[];
  readonly network: {
    readonly inputs: Record<string, { readonly shape: number[]; readonly data: number[] }>;
    readonly target: number[];
    readonly dtypes: string[];
    readonly logits: number[];
    readonly loss: number;
    readonly grads: Record<string, number[]>;
  };
  readonly scaler: { readonly course: readonly { readonly p: number[]; readonly scale: number }[]; readonly state: amp.GradScalerState };
}
const torch = JSON.parse(readFileSync(new URL('./fixtures/amp/autocast.json', import.meta.url), 'utf8')) as Fixture;

beforeEach(() => void manualSeed(0));

const square = (): Tensor => rand([4, 4]);
const batch = (): Tensor => rand([2, 4, 4]);
const half = (): Tensor => rand([4, 4]).to('float16');
const cells = (gates: number): [Tensor, Tensor] => [randn([gates * 4, 4]), randn([gates * 4, 4])];
const signs = (): Tensor => tensor([1, -1, 1, 1]);

/** A call of each op that PyTorch lists, on float32 for those that are lowered and on float16 for those that are widened. */
const LOWERED: Record<string, () => Tensor> = {
  addbmm: () => square().addbmm(batch(), batch()),
  addmm: () => square().addmm(square(), square()),
  addmv: () => rand([4]).addmv(square(), rand([4])),
  addr: () => square().addr(rand([4]), rand([4])),
  baddbmm: () => batch().baddbmm(batch(), batch()),
  bmm: () => batch().bmm(batch()),
  chain_matmul: () => linalg.multiDot([square(), square(), square()]),
  conv1d: () => F.conv1d(rand([1, 2, 5]), rand([3, 2, 2])),
  conv2d: () => F.conv2d(rand([1, 2, 5, 5]), rand([3, 2, 2, 2]), rand([3])),
  conv3d: () => F.conv3d(rand([1, 2, 3, 3, 3]), rand([3, 2, 2, 2, 2])),
  conv_tbc: () => F.convTbc(rand([5, 1, 2]), rand([2, 2, 3]), rand([3])),
  conv_transpose1d: () => F.convTranspose1d(rand([1, 2, 5]), rand([2, 3, 2])),
  conv_transpose2d: () => F.convTranspose2d(rand([1, 2, 5, 5]), rand([2, 3, 2, 2])),
  conv_transpose3d: () => F.convTranspose3d(rand([1, 2, 3, 3, 3]), rand([2, 3, 2, 2, 2])),
  einsum: () => einsum('ij,jk->ik', square(), square()),
  gru_cell: () => tessera.gruCell(square(), square(), ...cells(3)),
  linear: () => F.linear(square(), square(), rand([4])),
  lstm_cell: () => tessera.lstmCell(square(), [square(), square()], ...cells(4))[0],
  matmul: () => square().matmul(square()),
  mm: () => square().mm(square()),
  mv: () => square().mv(rand([4])),
  prelu: () => square().prelu(rand([1])),
  rnn_relu_cell: () => tessera.rnnReluCell(square(), square(), ...cells(1)),
  rnn_tanh_cell: () => tessera.rnnTanhCell(square(), square(), ...cells(1)),
};
const classes = (): Tensor => tensor([0, 1, 2, 3], { dtype: 'int32' });
const WIDENED: Record<string, () => Tensor> = {
  __pow__: () => half().pow(2),
  binary_cross_entropy_with_logits: () => F.binaryCrossEntropyWithLogits(half(), half()),
  cdist: () => tessera.cdist(half(), half()),
  cosine_embedding_loss: () => F.cosineEmbeddingLoss(half(), half(), signs()),
  cosine_similarity: () => F.cosineSimilarity(half(), half()),
  cumprod: () => half().cumprod(0),
  cumsum: () => half().cumsum(0),
  dist: () => half().dist(half()),
  group_norm: () => F.groupNorm(half(), 2),
  hinge_embedding_loss: () => F.hingeEmbeddingLoss(half(), signs()),
  kl_div: () => F.klDiv(half(), half()),
  l1_loss: () => F.l1Loss(half(), half()),
  layer_norm: () => F.layerNorm(half(), [4]),
  log_softmax: () => half().logSoftmax(0),
  margin_ranking_loss: () => F.marginRankingLoss(half(), half(), half().sign()),
  mse_loss: () => F.mseLoss(half(), half()),
  multi_margin_loss: () => F.multiMarginLoss(half(), classes()),
  multilabel_margin_loss: () => F.multilabelMarginLoss(half(), zeros([4, 4], { dtype: 'int32' })),
  nll_loss: () => F.nllLoss(half(), classes()),
  nll_loss2d: () => F.nllLoss(rand([1, 3, 2, 2]).to('float16'), zeros([1, 2, 2], { dtype: 'int32' })),
  norm: () => half().norm(),
  pdist: () => F.pdist(half()),
  poisson_nll_loss: () => F.poissonNllLoss(half(), half()),
  pow: () => half().pow(half()),
  prod: () => half().prod(),
  renorm: () => half().renorm(2, 0, 1),
  smooth_l1_loss: () => F.smoothL1Loss(half(), half()),
  soft_margin_loss: () => F.softMarginLoss(half(), half()),
  softmax: () => half().softmax(0),
  softplus: () => F.softplus(half()),
  sum: () => half().sum(),
  triplet_margin_loss: () => F.tripletMarginLoss(half(), half(), half()),
  ...Object.fromEntries(
    (
      ['acos', 'asin', 'cosh', 'erfinv', 'exp', 'expm1', 'log', 'log10', 'log1p', 'log2', 'reciprocal', 'rsqrt', 'sinh', 'tan'] as const
    ).map((name) => [name, () => half()[name]()]),
  ),
  logsumexp: () => half().logsumexp(0),
};
const PROMOTED: Record<string, () => Tensor> = {
  addcdiv: () => square().addcdiv(half(), half()),
  addcmul: () => half().addcmul(square(), half()),
  atan2: () => half().atan2(square()),
  bilinear: () => F.bilinear(half(), square(), rand([2, 4, 4])),
  cross: () => rand([3]).cross(rand([3]).to('float16')),
  dot: () => rand([3]).dot(rand([3]).to('float16')),
  grid_sampler: () => F.gridSample(rand([1, 1, 4, 4]), rand([1, 2, 2, 2]).to('float16'), { alignCorners: false }),
  index_put: () => square().indexPut([classes()], half()),
  scatter_add: () => square().scatterAdd(0, zeros([4, 4], { dtype: 'int32' }), half()),
  tensordot: () => tessera.tensordot(half(), square(), 1),
  vdot: () =>
    rand([3])
      .to('float16')
      .vdot(rand([3])),
};
/** Entries of PyTorch's lists that are names of its own for an op that is there, or kernels of cuDNN. */
const ALIASES = new Set(['_convolution', 'convolution', 'cudnn_convolution', 'cudnn_convolution_transpose']);

describe('the lists of ops', () => {
  it.each(torch.float16.filter((name) => !ALIASES.has(name)))('%s computes in half', (name) => {
    expect(autocast('float16', LOWERED[name]!).dtype).toBe('float16');
    expect(autocast('bfloat16', LOWERED[name]!).dtype).toBe('bfloat16');
    expect(LOWERED[name]!().dtype).toBe('float32');
  });

  it.each(torch.float32)('%s computes in float32', (name) => {
    expect(autocast('float16', WIDENED[name]!).dtype).toBe('float32');
    expect(WIDENED[name]!().dtype).toBe('float16');
  });

  it.each(torch.promote)('%s takes the widest', (name) => {
    // tensordot and bilinear end in a product, which is lowered or not by what it is made of.
    expect(autocast('float16', PROMOTED[name]!).dtype).toBe('float32');
  });

  it('all others compute in what they are given, float64 is left alone', () => {
    const dtypes = autocast('float16', (): DType[] => [
      half().add(square()).dtype,
      half().relu().dtype,
      half().mean().dtype,
      square().mean().dtype,
      square().to('float64').matmul(square().to('float64')).dtype,
      square().to('float64').softmax(0).dtype,
    ]);
    expect(dtypes).toEqual(['float32', 'float16', 'float16', 'float32', 'float64', 'float64']);
  });

  it('a dtype that is asked for by name is what comes', () => {
    expect(autocast('float16', () => half().sum(undefined, { dtype: 'float16' })).dtype).toBe('float16');
  });
});

describe('a network under autocast', () => {
  const { inputs, target, dtypes, logits, loss, grads } = torch.network;

  it('gives PyTorch’s values and gradients within bfloat16', () => {
    const leaves = Object.fromEntries(
      Object.entries(inputs).map(([name, { shape, data }]) => [
        name,
        tensor(data)
          .reshape(shape)
          .detach()
          .requiresGrad_(name !== 'x'),
      ]),
    );
    const [h, out, l] = autocast('bfloat16', () => {
      const c = F.conv2d(leaves['x']!, leaves['conv']!);
      const g = F.groupNorm(c, 2, leaves['norm']!);
      const y = F.linear(g.relu().flatten(1), leaves['w']!, leaves['b']!);
      return [c, y, F.crossEntropy(y, tensor(target, { dtype: 'int32' }))] as const;
    });
    l.backward();
    expect([h.dtype, out.dtype, l.dtype]).toEqual(dtypes);
    // bfloat16 has 8 bits: one unit in the last place of the logits is 2^-8 of them.
    const size = Math.max(...logits.map(Math.abs));
    out
      .flatten()
      .data()
      .forEach((x, i) => expect(Math.abs(x - logits[i]!)).toBeLessThanOrEqual(size * 2 ** -6));
    expect(l.item()).toBeCloseTo(loss, 2);
    for (const [name, want] of Object.entries(grads)) {
      const got = leaves[name]!.grad!;
      expect(got.dtype).toBe('float32');
      const scale = Math.max(...want.map(Math.abs));
      got
        .flatten()
        .data()
        .forEach((x, i) => expect(Math.abs(x - want[i]!)).toBeLessThanOrEqual(scale * 2 ** -4));
    }
  });

  const course = (run: (step: () => Tensor) => Tensor): number[] => {
    manualSeed(1);
    const model = new nn.Sequential(new nn.Linear(8, 32), new nn.ReLU(), new nn.LayerNorm(32), new nn.Linear(32, 3));
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
    const x = randn([32, 8]);
    const y = x
      .matmul(randn([8, 3]))
      .argmax(1)
      .to('int32');
    return Array.from({ length: 40 }, () => {
      optimizer.zeroGrad();
      const loss = run(() => F.crossEntropy(model(x), y));
      loss.backward();
      optimizer.step();
      return loss.item();
    });
  };

  it.each(['float16', 'bfloat16'] as const)('trains in %s as in float32', (dtype) => {
    const full = course((step) => step());
    const mixed = course((step) => autocast(dtype, step));
    expect(mixed.at(-1)!).toBeLessThan(full[0]! / 3);
    mixed.forEach((loss, i) => expect(Math.abs(loss - full[i]!)).toBeLessThan(dtype === 'float16' ? 0.01 : 0.05));
  });

  it('an LSTM and attention train too', () => {
    const lstm = new nn.LSTM(4, 6, { numLayers: 2 });
    const attention = new nn.MultiheadAttention(6, 2);
    const loss = autocast('float16', () => {
      const [h] = lstm(randn([5, 2, 4]));
      const [y] = attention(h, h, h);
      return y.square().mean();
    });
    loss.backward();
    for (const p of [...lstm.parameters(), ...attention.parameters()])
      expect([p.grad!.dtype, p.grad!.isfinite().all().item()]).toEqual(['float32', 1]);
  });
});

describe('regions', () => {
  const product = (): DType => square().matmul(square()).dtype;

  it('nest, and can be switched off within', () => {
    const seen = autocast('float16', () => [
      product(),
      autocast({ enabled: false }, product),
      autocast('bfloat16', () => [product(), amp.isAutocastEnabled(), amp.getAutocastDtype()]),
      product(),
    ]);
    expect(seen).toEqual(['float16', 'float32', ['bfloat16', true, 'bfloat16'], 'float16']);
    expect(amp.isAutocastEnabled()).toBe(false);
  });

  it('end where the function throws', () => {
    expect(() => autocast('float16', () => square().matmul(rand([3, 3])))).toThrow(
      expect.objectContaining({ code: 'ERR_MATMUL_SHAPE' }) as Error,
    );
    expect(product()).toBe('float32');
  });

  it('refuse async functions and dtypes that are no halves', () => {
    expect(() => autocast('float16', async () => 1)).toThrow(expect.objectContaining({ code: 'ERR_ASYNC_SCOPE' }) as Error);
    expect(() => autocast('float32' as 'float16', product)).toThrow(expect.objectContaining({ code: 'ERR_AUTOCAST_DTYPE' }) as Error);
  });

  it('can be held open over an await, and end in order', async () => {
    const outer = enterAutocast('float16');
    await Promise.resolve();
    const inner = enterAutocast({ enabled: false });
    expect(() => outer.exit()).toThrow(expect.objectContaining({ code: 'ERR_AUTOCAST_ORDER' }) as Error);
    inner.exit();
    expect(product()).toBe('float16');
    outer.exit();
    outer.exit();
    expect(product()).toBe('float32');
  });

  it('lower a weight once', () => {
    const w = ones([4, 4]).requiresGrad_();
    // The product is rounded to half; before it are the product, its operand widened for the kernel, and the lowered weight.
    const nodeOf = (): unknown => w.matmul(square()).gradFn!.edges[0]!.edges[0]!.edges[0];
    const [a, b, c] = autocast('float16', () => [nodeOf(), nodeOf(), noGrad(() => w.add_(1)) && nodeOf()]);
    expect(a === b).toBe(true);
    // A write to the weight is seen.
    expect(a === c).toBe(false);
    const [d, e] = autocast({ cacheEnabled: false }, () => [nodeOf(), nodeOf()]);
    expect(d === e).toBe(false);
  });

  it('do not hold a graph-less cast for a call that records', () => {
    const w = ones([4, 4]).requiresGrad_();
    const y = autocast('float16', () => {
      noGrad(() => w.matmul(square()));
      return w.matmul(square());
    });
    expect(grad(y.sum(), w)[0]!.dtype).toBe('float32');
  });

  it('a backward within one computes as if it were outside', () => {
    const w = ones([4, 4]).requiresGrad_();
    const x = square();
    autocast('float16', () => w.square().sum().backward());
    expect(w.grad!.dtype).toBe('float32');
    const again = autocast('float16', () => w.matmul(x).exp().sum());
    again.backward();
    expect(w.grad!.dtype).toBe('float32');
  });

  it('are remembered by checkpoints', () => {
    const w = randn([4, 4]).requiresGrad_();
    const x = square();
    const f = (v: Tensor): Tensor => v.matmul(w).exp().matmul(w).sum();
    const plain = grad(
      autocast('float16', () => f(x)),
      w,
    )[0]!;
    const cheap = grad(
      autocast('float16', () => checkpoint(f, x)),
      w,
    )[0]!;
    expect(cheap.toArray()).toEqual(plain.toArray());
  });
});

describe('GradScaler', () => {
  const stepOf = (p: Tensor, optimizer: optim.SGD, scaler: amp.GradScaler, overflow: boolean): void => {
    optimizer.zeroGrad();
    scaler.scale(p.sum()).backward();
    if (overflow) p.grad!.narrow(0, 1, 1).fill_(Infinity);
  };

  it('backs off, recovers and grows as PyTorch’s', () => {
    const p = zeros([2]).requiresGrad_();
    const optimizer = new optim.SGD([p], { lr: 0.1 });
    const scaler = new amp.GradScaler({ initScale: 8, growthInterval: 3 });
    torch.scaler.course.forEach((want, step) => {
      stepOf(p, optimizer, scaler, step === 2 || step === 5);
      scaler.step(optimizer);
      scaler.update();
      expect({ p: p.toArray(), scale: scaler.getScale() }).toEqual(want);
    });
    expect(scaler.stateDict()).toEqual(torch.scaler.state);
  });

  it('reads asynchronously where it has to', async () => {
    const p = zeros([2]).requiresGrad_();
    const optimizer = new optim.SGD([p], { lr: 0.1 });
    const scaler = new amp.GradScaler({ initScale: 8 });
    stepOf(p, optimizer, scaler, true);
    expect(await scaler.stepAsync(optimizer)).toBe(null);
    scaler.update();
    expect([p.toArray(), scaler.getScale()]).toEqual([[0, 0], 4]);
    stepOf(p, optimizer, scaler, false);
    await scaler.stepAsync(optimizer);
    scaler.update();
    expect(p.data()[0]).toBeCloseTo(-0.1);
  });

  it('saves gradients that float16 cannot hold', () => {
    const w = ones([1, 1]).requiresGrad_();
    const optimizer = new optim.SGD([w], { lr: 1 });
    const loss = (): Tensor =>
      autocast('float16', () =>
        tensor([[1e-4]])
          .matmul(w)
          .mul(1e-4),
      ).sum();
    loss().backward();
    expect(w.grad!.item()).toBe(0);
    const scaler = new amp.GradScaler({ initScale: 1024 });
    optimizer.zeroGrad();
    scaler.scale(loss()).backward();
    scaler.unscale_(optimizer);
    expect(w.grad!.item()).toBeCloseTo(1e-8, 10);
    expect(w.grad!.item()).toBeGreaterThan(0);
  });

  it('refuses calls out of order', () => {
    const p = zeros([2]).requiresGrad_();
    const optimizer = new optim.SGD([p], { lr: 0.1 });
    const scaler = new amp.GradScaler();
    const code = (name: string): Error => expect.objectContaining({ code: name }) as Error;
    expect(() => scaler.update()).toThrow(code('ERR_SCALER_ORDER'));
    expect(() => scaler.step(optimizer)).toThrow(code('ERR_SCALER_GRADS'));
    scaler.update(4);
    stepOf(p, optimizer, scaler, false);
    scaler.unscale_(optimizer);
    expect(() => scaler.unscale_(optimizer)).toThrow(code('ERR_SCALER_ORDER'));
    scaler.step(optimizer);
    expect(() => scaler.step(optimizer)).toThrow(code('ERR_SCALER_ORDER'));
    expect(() => scaler.unscale_(optimizer)).toThrow(code('ERR_SCALER_ORDER'));
    expect(() => new amp.GradScaler({ growthFactor: 1 })).toThrow(code('ERR_SCALER_OPTION'));
    const h = zeros([2]).to('float16').detach().requiresGrad_();
    const other = new optim.SGD([h], { lr: 0.1 });
    h.sum().backward();
    expect(() => scaler.unscale_(other)).toThrow(code('ERR_DTYPE'));
  });

  it('passes through when it is not enabled', () => {
    const p = zeros([2]).requiresGrad_();
    const optimizer = new optim.SGD([p], { lr: 0.1 });
    const scaler = new amp.GradScaler({ enabled: false });
    scaler.scale(p.sum()).backward();
    scaler.step(optimizer);
    scaler.update();
    expect([scaler.getScale(), scaler.stateDict(), p.data()[0]!.toFixed(2)]).toEqual([1, {}, '-0.10']);
    expect(() => new amp.GradScaler().loadStateDict({})).toThrow(expect.objectContaining({ code: 'ERR_SCALER_STATE' }) as Error);
  });

  it('its state goes on in another one', () => {
    const state = { scale: 32, growth_factor: 4, backoff_factor: 0.25, growth_interval: 5, _growth_tracker: 4 };
    const scaler = new amp.GradScaler();
    scaler.loadStateDict(state);
    expect(scaler.stateDict()).toEqual(state);
    const p = zeros([1]).requiresGrad_();
    const optimizer = new optim.SGD([p], { lr: 0.1 });
    p.grad = ones([1]);
    scaler.step(optimizer);
    scaler.update();
    expect(scaler.getScale()).toBe(128);
  });
});
