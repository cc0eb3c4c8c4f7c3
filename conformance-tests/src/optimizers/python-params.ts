/**
 * @file Parameters from how Python prints them: the data have no other form of what a refused constructor was given. Lists, tuples (names with
 * parameters), dicts (groups), texts, numbers, and tensors, of which equal prints are one parameter.
 */
import { Parameter, rand, type Tensor } from '@tessera/core';
import { Mismatch } from '../check/result.js';
import { camelCase } from '../ops/signature.js';
import type { Subject } from '../subject/subject.js';

/** What a constructor is given, and all parameters that were made for it. */
export interface PythonParams {
  readonly params: unknown;
  readonly made: readonly Tensor[];
}

/** @throws Mismatch where the text has something else in it */
export function paramsFrom(text: string, subject: Subject): PythonParams {
  const reader = new Reader(text, subject);
  const params = reader.value();
  reader.end();
  return { params, made: [...reader.tensors.values()] };
}

const TENSOR = /(?:Parameter containing:\s*)?tensor\((\[[\s\S]*?\])(?:,\s*requires_grad=True)?\)/y;
const TEXT = /'([^']*)'/y;
const NUMBER = /-?\d+(?:\.\d*)?(?:e[+-]?\d+)?/y;

class Reader {
  readonly tensors = new Map<string, Tensor>();
  readonly #text: string;
  readonly #subject: Subject;
  #at = 0;

  constructor(text: string, subject: Subject) {
    this.#text = text;
    this.#subject = subject;
  }

  value(): unknown {
    const tensor = this.#match(TENSOR);
    if (tensor) return this.#parameter(tensor[0], tensor[1]);
    const string = this.#match(TEXT);
    if (string) return string[1];
    const number = this.#match(NUMBER);
    if (number) return Number(number[0]);
    if (this.#take('[')) return this.#items(']');
    if (this.#take('(')) return this.#items(')');
    if (this.#take('{')) return this.#group();
    throw new Mismatch(`what is at ${this.#at} of the parameters' text? ${this.#text.slice(this.#at, this.#at + 40)}`);
  }

  end(): void {
    if (this.#at !== this.#text.length) throw new Mismatch(`the parameters' text goes on: ${this.#text.slice(this.#at)}`);
  }

  #items(close: string): unknown[] {
    const items: unknown[] = [];
    while (!this.#take(close)) {
      items.push(this.value());
      this.#take(', ');
    }
    return items;
  }

  #group(): Record<string, unknown> {
    const group: Record<string, unknown> = {};
    while (!this.#take('}')) {
      const name = this.value() as string;
      this.#take(': ');
      group[camelCase(name)] = this.value();
      this.#take(', ');
    }
    return group;
  }

  /** Its values do not matter to a refusal; its shape does. */
  #parameter(print: string, nested: string): Tensor {
    const known = this.tensors.get(print);
    if (known) return known;
    const shape: number[] = [];
    const list = JSON.parse(nested.replace(/(\d)\.(?=[,\]\s])/g, '$1')) as unknown;
    for (let at = list; Array.isArray(at); at = at[0] as unknown) shape.push(at.length);
    const parameter = new Parameter(rand(shape, { device: this.#subject.device }));
    this.tensors.set(print, parameter);
    return parameter;
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found) this.#at = pattern.lastIndex;
    return found;
  }
}
