/** @file From the names that Hugging Face's transformers gives BERT's weights to ours. */
import { cat, type Tensor } from 'tessera';

/** Patterns of their names, and ours. Older checkpoints write gamma and beta for a norm's weight and bias. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^bert\./, ''],
  [/\.gamma$/, '.weight'],
  [/\.beta$/, '.bias'],
  [/^embeddings\.word_embeddings\./, 'words.'],
  [/^embeddings\.position_embeddings\./, 'positions.'],
  [/^embeddings\.token_type_embeddings\./, 'types.'],
  [/^embeddings\.LayerNorm\./, 'norm.'],
  [/^encoder\.layer\.(\d+)\.attention\.output\.dense\./, 'encoder.layers.$1.self_attn.out_proj.'],
  [/^encoder\.layer\.(\d+)\.attention\.output\.LayerNorm\./, 'encoder.layers.$1.norm1.'],
  [/^encoder\.layer\.(\d+)\.intermediate\.dense\./, 'encoder.layers.$1.linear1.'],
  [/^encoder\.layer\.(\d+)\.output\.dense\./, 'encoder.layers.$1.linear2.'],
  [/^encoder\.layer\.(\d+)\.output\.LayerNorm\./, 'encoder.layers.$1.norm2.'],
  [/^pooler\.dense\./, 'pooler.'],
];

/** Query, key and value have a weight each there, and share one of three times the rows here. */
const PROJECTION = /^encoder\.layer\.(\d+)\.attention\.self\.(query|key|value)\.(weight|bias)$/;
const PARTS = ['query', 'key', 'value'] as const;

/** What is no weight of the encoder: heads of other tasks, and positions that are counted anyway. */
const OTHERS = /^(cls\.|classifier\.)|position_ids$/;

/**
 * A state_dict of Bert from one of Hugging Face's BertModel, or of a model that has one under `bert.`.
 * @throws Error for a projection that lacks a part; `loadStateDict` says what else is missing.
 * @example bert.loadStateDict(fromHuggingFace(io.loadSafetensors(await readFile('model.safetensors'))))
 */
export function fromHuggingFace(theirs: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const ours = new Map<string, Tensor>();
  const projections = new Map<string, Map<string, Tensor>>();
  for (const [key, tensor] of theirs) {
    if (OTHERS.test(key)) continue;
    const name = NAMES.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), key);
    const projection = PROJECTION.exec(name);
    if (projection === null) {
      ours.set(name, tensor);
      continue;
    }
    const [, layer, part, kind] = projection;
    const whole = `encoder.layers.${layer}.self_attn.in_proj_${kind}`;
    const parts = projections.get(whole) ?? new Map<string, Tensor>();
    projections.set(whole, parts.set(part!, tensor));
  }
  for (const [whole, parts] of projections) {
    const list = PARTS.map((part) => {
      const tensor = parts.get(part);
      if (tensor === undefined) throw new Error(`${whole}: the checkpoint has no ${part}`);
      return tensor;
    });
    ours.set(whole, cat(list, 0));
  }
  return ours;
}
