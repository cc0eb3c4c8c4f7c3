/** @file A GPT (Radford et al., 2019): a decoder of pre-norm transformer blocks over tokens, that predicts the next one. */
import { arange, cat, F, multinomialAsync, nn, noGrad, type Tensor } from 'tessera';

export interface GPTOptions {
  readonly vocabulary: number;
  /** How many tokens it looks back at. */
  readonly context: number;
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  readonly dropout?: number;
}

class Attention extends nn.Module {
  qkv: nn.Linear;
  proj: nn.Linear;

  constructor(
    width: number,
    readonly heads: number,
    readonly dropout: number,
  ) {
    super();
    this.qkv = new nn.Linear(width, 3 * width);
    this.proj = new nn.Linear(width, width);
  }

  forward(x: Tensor): Tensor {
    const [n, t, width] = x.shape as [number, number, number];
    // (N, T, 3 · width) → three of (N, heads, T, width / heads)
    const [q, k, v] = this.qkv(x)
      .reshape(n, t, 3, this.heads, width / this.heads)
      .permute(2, 0, 3, 1, 4)
      .unbind(0) as [Tensor, Tensor, Tensor];
    const y = F.scaledDotProductAttention(q, k, v, { isCausal: true, dropoutP: this.training ? this.dropout : 0 });
    return this.proj(y.transpose(1, 2).reshape(n, t, width));
  }
}

class Block extends nn.Module {
  norm1: nn.LayerNorm;
  attention: Attention;
  norm2: nn.LayerNorm;
  mlp: nn.Sequential;

  constructor({ width, heads, dropout = 0 }: GPTOptions) {
    super();
    this.norm1 = new nn.LayerNorm(width);
    this.attention = new Attention(width, heads, dropout);
    this.norm2 = new nn.LayerNorm(width);
    this.mlp = new nn.Sequential(new nn.Linear(width, 4 * width), new nn.GELU(), new nn.Linear(4 * width, width), new nn.Dropout(dropout));
  }

  forward(x: Tensor): Tensor {
    const y = x.add(this.attention(this.norm1(x)));
    return y.add(this.mlp(this.norm2(y)));
  }
}

/** Tokens (N, T), int32, give scores of the next ones, (N, T, vocabulary). */
export class GPT extends nn.Module {
  tokens: nn.Embedding;
  positions: nn.Embedding;
  blocks: nn.ModuleList<Block>;
  norm: nn.LayerNorm;
  head: nn.Linear;
  readonly context: number;

  constructor(options: GPTOptions) {
    super();
    const { vocabulary, context, width, layers } = options;
    this.context = context;
    this.tokens = new nn.Embedding(vocabulary, width);
    this.positions = new nn.Embedding(context, width);
    this.blocks = new nn.ModuleList(Array.from({ length: layers }, () => new Block(options)));
    this.norm = new nn.LayerNorm(width);
    this.head = new nn.Linear(width, vocabulary, { bias: false });
    // The table that reads tokens writes them too.
    this.head.weight = this.tokens.weight;
    this.apply((m) => {
      if (m instanceof nn.Linear || m instanceof nn.Embedding) nn.init.normal_(m.weight, 0, 0.02);
      if (m instanceof nn.Linear && m.bias !== null) nn.init.zeros_(m.bias);
    });
  }

  forward(tokens: Tensor): Tensor {
    let x = this.tokens(tokens).add(this.positions(arange(tokens.size(1), { device: tokens.device })));
    for (const block of this.blocks) x = block(x);
    return this.head(this.norm(x));
  }

  /** Goes on from tokens (1, T) by `count` more; a lower temperature takes fewer chances. */
  async generate(tokens: Tensor, count: number, temperature = 0.8): Promise<Tensor> {
    this.eval();
    let all = tokens;
    for (let i = 0; i < count; i++) {
      const seen = all.narrow(1, Math.max(0, all.size(1) - this.context), Math.min(all.size(1), this.context));
      const probabilities = noGrad(() => this.forward(seen).select(1, -1).div(temperature).softmax(-1));
      const next = await multinomialAsync(probabilities, 1);
      all = cat([all, next], 1);
    }
    return all;
  }
}
