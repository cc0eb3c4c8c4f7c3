/** @file The reviews of examples/data/text as numbers: one for each word. */
import { readFile } from 'node:fs/promises';
import { dataFile } from './data-file.js';

export interface Review {
  readonly words: readonly number[];
  /** 1 for praise, 0 for its opposite. */
  readonly label: number;
}

export interface Reviews {
  readonly reviews: readonly Review[];
  /** Words by their numbers; the first is padding, the second stands for any other word. */
  readonly vocabulary: readonly string[];
  readonly encode: (text: string) => number[];
}

export const PADDING = 0;
const UNKNOWN = 1;

export async function loadReviews(): Promise<Reviews> {
  const lines = (await readFile(dataFile('reviews.tsv', 'text'), 'utf8')).trim().split('\n');
  const texts = lines.map((line) => line.split('\t') as [label: string, text: string]);
  const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z']+/g) ?? [];
  const vocabulary = ['[pad]', '[unknown]', ...new Set(texts.flatMap(([, text]) => wordsOf(text)))];
  const numbers = new Map(vocabulary.map((word, i) => [word, i]));
  const encode = (text: string): number[] => wordsOf(text).map((word) => numbers.get(word) ?? UNKNOWN);
  return { vocabulary, encode, reviews: texts.map(([label, text]) => ({ words: encode(text), label: Number(label) })) };
}
