/** @file A safetensors file that arrives piece by piece, such as an HTTP response: tensors come as soon as they are whole. */
import type { Tensor } from '@tessera/core';
import { LENGTH_BYTES } from './dtypes.js';
import { broken, parseHeader, readHeaderLength } from './header.js';
import { type LoadOptions, tensorOf } from './tensors.js';
import { checkOptions, type OptionNames } from '@tessera/core';

const LOAD_OPTIONS: OptionNames<LoadOptions> = { device: true, filter: true };

/** Bytes that come one piece after the other. */
export type ByteStream = Response | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * The tensors of a file in the order in which they lie there, each when its bytes have arrived. Only one is in memory at a time, and those that `filter`
 * leaves out never are. That the whole file is sound is only known at its end: what is wrong further on is thrown there.
 *
 * @throws FormatError as `parseSafetensors`, ERR_SAFETENSORS_RESPONSE for a response that is no success; as `toHostArray`.
 * @example
 * for await (const [name, tensor] of streamSafetensors(await fetch(url))) noGrad(() => parameters.get(name)!.copy_(tensor));
 */
export async function* streamSafetensors(
  from: ByteStream,
  options: LoadOptions = {},
): AsyncGenerator<[name: string, tensor: Tensor], void, undefined> {
  checkOptions('streamSafetensors', options, LOAD_OPTIONS);
  const bytes = new Pieces(piecesOf(from));
  try {
    const length = readHeaderLength(await bytes.take(LENGTH_BYTES), undefined);
    const { entries } = parseHeader(await bytes.take(length), undefined);
    for (const { name, dtype, shape, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
      if (!(options.filter?.(name) ?? true)) {
        // oxlint-disable-next-line no-await-in-loop -- a stream is read in order
        await bytes.skip(end - begin, name);
        continue;
      }
      // oxlint-disable-next-line no-await-in-loop -- as above
      yield [name, tensorOf(name, { dtype, shape, data: await bytes.take(end - begin, name) }, options.device)];
    }
    await bytes.end();
  } finally {
    await bytes.cancel();
  }
}

function piecesOf(from: ByteStream): AsyncIterator<Uint8Array> {
  if ('getReader' in from) return readerOf(from);
  if (!('body' in from)) return from[Symbol.asyncIterator]();
  if (!from.ok) throw broken('RESPONSE', `the server answered ${from.status} ${from.statusText}`);
  if (from.body === null) throw broken('RESPONSE', 'the response has no body');
  return readerOf(from.body);
}

/** Not every browser iterates streams. */
function readerOf(stream: ReadableStream<Uint8Array>): AsyncIterator<Uint8Array> {
  const reader = stream.getReader();
  return {
    next: async () => {
      const { done, value } = await reader.read();
      return done ? { done, value: undefined } : { done, value };
    },
    return: async () => {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}

/** Takes as many bytes as are wanted out of pieces as they come. What a length only claims is never allocated. */
class Pieces {
  #rest: Uint8Array = new Uint8Array(0);
  #ended = false;

  constructor(readonly source: AsyncIterator<Uint8Array>) {}

  async take(length: number, tensor?: string): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    await this.#each(length, tensor, (part) => parts.push(part));
    if (parts.length === 1) return parts[0]!;
    const whole = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  skip(length: number, tensor: string): Promise<void> {
    return this.#each(length, tensor, () => {});
  }

  async #each(length: number, tensor: string | undefined, use: (part: Uint8Array) => void): Promise<void> {
    for (let left = length; left > 0;) {
      // oxlint-disable-next-line no-await-in-loop -- a stream is read in order
      if (!(await this.#more())) throw broken('TRUNCATED', `the stream ended ${left} bytes too early`, tensor);
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(part.length);
      left -= part.length;
      use(part);
    }
  }

  /** Is there a byte left? */
  async #more(): Promise<boolean> {
    while (this.#rest.length === 0 && !this.#ended) {
      // oxlint-disable-next-line no-await-in-loop -- as above
      const next = await this.source.next();
      if (next.done === true) this.#ended = true;
      else this.#rest = next.value;
    }
    return this.#rest.length > 0;
  }

  async end(): Promise<void> {
    if (await this.#more()) throw broken('TRAILING', 'the stream has bytes behind the last tensor');
  }

  /** Tells the source that no more is wanted. */
  async cancel(): Promise<void> {
    if (!this.#ended) await this.source.return?.();
  }
}
