/** @file BERT (Devlin et al., 2019): an encoder of post-norm transformer blocks over words. The layers are nn's own. */
import { arange, nn, type Tensor } from 'tessera';

/** Under Hugging Face's names, as in config.json. */
export interface BertConfig {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly intermediate_size: number;
  readonly max_position_embeddings: number;
  readonly type_vocab_size: number;
  readonly layer_norm_eps: number;
  readonly hidden_dropout_prob: number;
}

/** What is said beside the words. */
export interface BertInput {
  /** (N, T), int32: which of two texts a word belongs to. Default: the first. */
  readonly tokenTypes?: Tensor;
  /** (N, T), bool: true where a word is padding. */
  readonly padding?: Tensor;
}

/** Words (N, T), int32, give a vector for each, (N, T, hidden), and one for the text, (N, hidden). */
export class Bert extends nn.Module {
  words: nn.Embedding;
  positions: nn.Embedding;
  types: nn.Embedding;
  norm: nn.LayerNorm;
  dropout: nn.Dropout;
  encoder: nn.TransformerEncoder;
  pooler: nn.Linear;

  constructor(config: BertConfig) {
    super();
    const { hidden_size: width, hidden_dropout_prob: dropout, layer_norm_eps: eps } = config;
    this.words = new nn.Embedding(config.vocab_size, width);
    this.positions = new nn.Embedding(config.max_position_embeddings, width);
    this.types = new nn.Embedding(config.type_vocab_size, width);
    this.norm = new nn.LayerNorm(width, { eps });
    this.dropout = new nn.Dropout(dropout);
    const layer = new nn.TransformerEncoderLayer(width, config.num_attention_heads, {
      dimFeedforward: config.intermediate_size,
      activation: 'gelu',
      dropout,
      layerNormEps: eps,
      batchFirst: true,
    });
    this.encoder = new nn.TransformerEncoder(layer, config.num_hidden_layers);
    this.pooler = new nn.Linear(width, width);
    this.apply((m) => {
      if (m instanceof nn.Linear || m instanceof nn.Embedding) nn.init.normal_(m.weight, 0, 0.02);
    });
  }

  forward(words: Tensor, { tokenTypes, padding }: BertInput = {}): [hidden: Tensor, pooled: Tensor] {
    const places = arange(words.size(1), { device: words.device });
    const types = this.types(tokenTypes ?? words.mul(0));
    const embedded = this.dropout(this.norm(this.words(words).add(this.positions(places)).add(types)));
    const hidden = this.encoder(embedded, { srcKeyPaddingMask: padding ?? null });
    // The first word, [CLS], stands for the text.
    return [hidden, this.pooler(hidden.select(1, 0)).tanh()];
  }
}

/** Bert with a decision on top: scores (N, classes). */
export class BertClassifier extends nn.Module {
  bert: Bert;
  dropout: nn.Dropout;
  classifier: nn.Linear;

  constructor(config: BertConfig, classes: number) {
    super();
    this.bert = new Bert(config);
    this.dropout = new nn.Dropout(config.hidden_dropout_prob);
    this.classifier = new nn.Linear(config.hidden_size, classes);
  }

  forward(words: Tensor, input: BertInput = {}): Tensor {
    return this.classifier(this.dropout(this.bert(words, input)[1]));
  }
}
