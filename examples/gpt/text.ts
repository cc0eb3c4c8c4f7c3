/** @file A text as numbers: one for each character. */
import { randint, stack, tensor, type Tensor } from 'tessera';

/** Which number each character of a text has. */
export class Characters {
  readonly all: readonly string[];
  readonly #numbers: ReadonlyMap<string, number>;

  constructor(text: string) {
    this.all = [...new Set(text)].sort();
    this.#numbers = new Map(this.all.map((c, i) => [c, i]));
  }

  /** (length), int32. @throws Error for a character that the text did not have. */
  encode(text: string): Tensor {
    const numbers = Array.from(text, (c) => {
      const n = this.#numbers.get(c);
      if (n === undefined) throw new Error(`the text that was learnt has no '${c}'`);
      return n;
    });
    return tensor(numbers, { dtype: 'int32' });
  }

  decode(numbers: readonly number[]): string {
    return numbers.map((n) => this.all[n]).join('');
  }
}

/** Pieces of a text from random places, and the same pieces one character on: both (size, length). */
export function randomPieces(text: Tensor, size: number, length: number): [input: Tensor, target: Tensor] {
  const starts = randint(text.numel() - length, [size], { device: 'cpu' }).toArray() as number[];
  const pieces = (shift: number): Tensor => stack(starts.map((start) => text.narrow(0, start + shift, length)));
  return [pieces(0), pieces(1)];
}
