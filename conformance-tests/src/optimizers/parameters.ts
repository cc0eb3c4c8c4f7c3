/** @file An optimizer's list of parameters, which the error cases of the data have only as Python prints it. */
import { type Tensor, tensor } from '@tessera/core';
import { Skip } from '../check/skip.js';
import type { Subject } from '../subject/subject.js';

/**
 * `[{'params': Parameter containing: tensor([[1.]], requires_grad=True)}]` as `[{ params: … }]`; a tuple is an array. Tensors that print alike
 * are one tensor, as the case of a parameter in two groups has it.
 * @throws Skip where the text is nothing of the kind
 */
export function parametersFrom(text: string, subject: Subject): unknown {
  const reader = new Reader(text, subject);
  const value = reader.read();
  reader.end();
  return value;
}

const TENSOR = /^(?:(Parameter) containing:\s*)?tensor\((\[[^()]*\]|[-\d.e+]+)(?:,\s*requires_grad=(True))?\)/;
const CLOSING: Readonly<Record<string, string>> = { '[': ']', '(': ')', '{': '}' };

class Reader {
  #rest: string;
  readonly #subject: Subject;
  readonly #tensors = new Map<string, Tensor>();

  constructor(text: string, subject: Subject) {
    this.#rest = text;
    this.#subject = subject;
  }

  read(): unknown {
    this.#rest = this.#rest.trimStart();
    const made = this.#take(TENSOR);
    if (made) return this.#tensor(made);
    const word = this.#take(/^'([^']*)'/);
    if (word) return word[1];
    const number = this.#take(/^-?\d+(?:\.\d*)?(?:e[-+]?\d+)?/);
    if (number) return Number(number[0]);
    const open = this.#take(/^[[({]/);
    if (!open) throw new Skip('scope', `the data tell of the parameters only how they print: ${this.#rest.slice(0, 30)}`);
    return open[0] === '{' ? Object.fromEntries(this.#items('{')) : this.#items(open[0]);
  }

  end(): void {
    if (this.#rest.trim() !== '')
      throw new Skip('scope', `the data tell of the parameters only how they print: ${this.#rest.slice(0, 30)}`);
  }

  /** Up to the closing bracket: values, or names and values. */
  #items(open: '{'): [string, unknown][];
  #items(open: string): unknown[];
  #items(open: string): unknown[] {
    const items: unknown[] = [];
    while (!this.#take(open === '[' ? /^\s*\]/ : open === '(' ? /^\s*\)/ : /^\s*\}/)) {
      const first = this.read();
      if (open === '{') {
        if (!this.#take(/^\s*:/)) throw new Skip('scope', `no ':' and no '${CLOSING[open]}' in what the data tell of the parameters`);
        items.push([first, this.read()]);
      } else items.push(first);
      this.#take(/^\s*,/);
    }
    return items;
  }

  #tensor([text, parameter, values, requiresGrad]: RegExpExecArray): Tensor {
    const known = this.#tensors.get(text);
    if (known) return known;
    // Python writes 1. for 1.0.
    const numbers = JSON.parse(values.replaceAll(/(\d)\.(?!\d)/g, '$1.0')) as number[];
    const made = tensor(numbers, { device: this.#subject.device, requiresGrad: parameter !== undefined || requiresGrad !== undefined });
    this.#tensors.set(text, made);
    return made;
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    const match = pattern.exec(this.#rest);
    if (match) this.#rest = this.#rest.slice(match[0].length);
    return match;
  }
}
