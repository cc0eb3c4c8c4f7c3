/** @file The small reference model: loaded under Hugging Face's names, and how far our answers are from its own. */
import { readFile } from 'node:fs/promises';
import { init, io, noGrad, type Tensor } from 'tessera';
import { dataFile } from '../shared/data-file.js';
import { fromHuggingFace } from './key-map.js';
import { Bert, type BertConfig } from './model.js';

/** A BERT from a folder of examples/data: config.json and model.safetensors. */
export async function loadBert(folder: string): Promise<Bert> {
  const config = JSON.parse(await readFile(dataFile('config.json', folder), 'utf8')) as BertConfig;
  const bert = new Bert(config);
  await bert.loadStateDictAsync(fromHuggingFace(io.loadSafetensors(await readFile(dataFile('model.safetensors', folder)))));
  bert.eval();
  return bert;
}

/** The largest difference of our answers from the reference's. */
export async function compareWithReference(device: string): Promise<number> {
  const on = await init({ device });
  const bert = await loadBert('bert');
  const answers = io.loadSafetensors(await readFile(dataFile('answers.safetensors', 'bert')));
  const get = (name: string): Promise<Tensor> => answers.get(name)!.toAsync(on);
  const [words, tokenTypes, mask, hidden, pooled] = await Promise.all(
    ['words', 'types', 'mask', 'last_hidden_state', 'pooler_output'].map(get) as [
      Promise<Tensor>,
      Promise<Tensor>,
      Promise<Tensor>,
      Promise<Tensor>,
      Promise<Tensor>,
    ],
  );
  const [ourHidden, ourPooled] = noGrad(() => bert(words, { tokenTypes, padding: mask.eq(0) }));
  const off = (a: Tensor, b: Tensor): Promise<number> => a.sub(b).abs().max().itemAsync();
  return Math.max(await off(ourHidden, hidden), await off(ourPooled, pooled));
}
