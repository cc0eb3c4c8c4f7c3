// The cases' operations in Tessera, in Node and in browsers. NCHW is its natural layout, as the cases'.
import { ENCODER_PARAMETERS, TRAIN_CHECK } from '../cases.mjs';

/**
 * `wait`: resolves when the device has done what it was told. Only a GPU needs it; training steps then run in scopes, since memory that the
 * collector gives back late would be allocated anew.
 */
export function makeTessera({ F, noGrad, optim, scope, tensor }, device, wait = null) {
  const T = (t) =>
    tensor(t.data, { dtype: t.int ? 'int32' : 'float32' })
      .reshape(t.shape)
      .clone()
      .realize();
  // One call: the result is computed and its memory given back.
  const forward = (f) => ({
    run() {
      scope(() => void noGrad(f).realize());
      return wait?.();
    },
    read: () => noGrad(f).contiguous().dataAsync(),
  });
  const linear = (x, w, b) => x.matmul(w).add(b);
  const trainer = (inp, keys, optimizer, loss, c) => {
    const fresh = () => {
      const p = Object.fromEntries(keys.map((k) => [k, T(inp[k]).requiresGrad_()]));
      const x = T(inp.x);
      const y = T(inp.y);
      const o = optimizer(Object.values(p));
      return () => {
        // Gradients outlive a scope, and nobody wants these any more.
        if (wait !== null) for (const parameter of Object.values(p)) parameter.grad?.dispose();
        o.zeroGrad();
        const l = loss(p, x, y);
        l.backward();
        o.step();
        return l;
      };
    };
    let step;
    const scoped = () => scope(() => void step().realize());
    // The yields let finalizers run, as the data loader's do in a training loop.
    return {
      async run() {
        step ??= fresh();
        for (let i = 0; i < (c.count ?? 1); i++) wait === null ? step() : scoped();
        if (wait !== null) await wait();
        else if (!c.tiny) await new Promise((r) => setImmediate(r));
      },
      async read() {
        const one = fresh();
        const losses = [];
        for (let i = 0; i < TRAIN_CHECK; i++) losses.push(await one().itemAsync());
        return losses;
      },
    };
  };
  const composedAttention = (q, k, v) =>
    q
      .matmul(k.transpose(-2, -1))
      .mul(1 / Math.sqrt(q.shape.at(-1)))
      .softmax(-1)
      .matmul(v);
  const encoder = (p, x, c, attention) => {
    const { B, T: S, D, heads: H } = c;
    const heads = (t) => t.reshape(B, S, H, D / H).transpose(1, 2);
    const n = F.layerNorm(x, [D], p.g1, p.h1, { eps: c.eps });
    const a = attention(heads(linear(n, p.wq, p.bq)), heads(linear(n, p.wk, p.bk)), heads(linear(n, p.wv, p.bv)));
    const y = x.add(linear(a.transpose(1, 2).reshape(B, S, D), p.wo, p.bo));
    const m = F.layerNorm(y, [D], p.g2, p.h2, { eps: c.eps });
    return y.add(linear(F.gelu(linear(m, p.w1, p.b1), { approximate: 'tanh' }), p.w2, p.b2));
  };
  const ops = {
    matmul({ a, b }) {
      const A = T(a),
        B = T(b);
      return forward(() => A.matmul(B));
    },
    gelu({ x, w, b }) {
      const X = T(x),
        W = T(w),
        B = T(b);
      return forward(() => F.gelu(X.mul(W).add(B), { approximate: 'tanh' }));
    },
    add({ a, b }) {
      const A = T(a),
        B = T(b);
      return forward(() => A.add(B));
    },
    softmax({ x }) {
      const X = T(x);
      return forward(() => X.softmax(-1));
    },
    layernorm({ x, g, b }, c) {
      const X = T(x),
        G = T(g),
        B = T(b);
      return forward(() => F.layerNorm(X, [768], G, B, { eps: c.eps }));
    },
    sum({ x }, c) {
      const X = T(x);
      return forward(() => X.sum(c.axis));
    },
    transpose({ x }) {
      const X = T(x);
      return forward(() => X.t().contiguous());
    },
    conv({ x, w }) {
      const X = T(x),
        W = T(w);
      return forward(() => F.conv2d(X, W, null, { padding: 1 }));
    },
    dwconv({ x, w }, c) {
      const X = T(x),
        W = T(w);
      return forward(() => F.conv2d(X, W, null, { padding: 1, groups: c.C }));
    },
    maxpool({ x }) {
      const X = T(x);
      return forward(() => F.maxPool2d(X, 2));
    },
    mlp_train(inp, c) {
      const n = c.dims.length - 1;
      const keys = Array.from({ length: n }, (_, i) => ['w' + i, 'b' + i]).flat();
      return trainer(
        inp,
        keys,
        (p) => new optim.SGD(p, { lr: c.lr }),
        (p, x, y) => {
          let h = x;
          for (let i = 0; i < n; i++) {
            h = linear(h, p['w' + i], p['b' + i]);
            if (i < n - 1) h = h.relu();
          }
          return F.crossEntropy(h, y);
        },
        c,
      );
    },
    cnn_train(inp, c) {
      return trainer(
        inp,
        ['w0', 'b0', 'w1', 'b1', 'w2', 'b2'],
        (p) => new optim.Adam(p, { lr: c.lr }),
        (p, x, y) => {
          let h = F.maxPool2d(F.conv2d(x, p.w0, p.b0, { padding: 1 }).relu(), 2);
          h = F.maxPool2d(F.conv2d(h, p.w1, p.b1, { padding: 1 }).relu(), 2);
          return F.crossEntropy(linear(h.reshape(-1, 1568), p.w2, p.b2), y);
        },
        c,
      );
    },
    encoder(inp, c) {
      const p = Object.fromEntries(Object.entries(inp).map(([k, t]) => [k, T(t)]));
      return forward(() => encoder(p, p.x, c, composedAttention));
    },
    encoder_train(inp, c) {
      return trainer(
        inp,
        ENCODER_PARAMETERS,
        (p) => new optim.Adam(p, { lr: c.lr }),
        (p, x, y) => F.mseLoss(encoder(p, x, c, F.scaledDotProductAttention), y),
        c,
      );
    },
    tiny_add({ a, b }, c) {
      const A = T(a),
        B = T(b);
      return {
        run() {
          if (wait === null) for (let i = 0; i < c.count; i++) A.add(B).realize();
          else for (let i = 0; i < c.count; i++) scope(() => void A.add(B).realize());
          return wait?.();
        },
        read: () => A.add(B).dataAsync(),
      };
    },
  };
  return { ops, mem: () => device.memory() };
}
