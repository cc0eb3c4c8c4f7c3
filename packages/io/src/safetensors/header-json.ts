/**
 * @file A strict JSON reader for headers that may be hostile.
 *
 * `JSON.parse` keeps the last of two equal keys, rounds integers beyond 2^53 and makes plain objects; here equal keys
 * are an error, numbers that are not exact are NaN and objects are Maps.
 */

/** Numbers are those that a header has use for: naturals up to 2^53 - 1. All others (`-1`, `1.0`, `1e3`, 2^53) are NaN. */
export type JsonValue = null | boolean | number | string | JsonValue[] | Map<string, JsonValue>;

/** What is wrong, and where: `position` counts UTF-16 units from the start. */
export class JsonError extends Error {
  readonly kind: 'syntax' | 'duplicate';

  constructor(kind: 'syntax' | 'duplicate', message: string, position: number) {
    super(`${message} at position ${position}`);
    this.kind = kind;
  }
}

/** Headers nest three deep; whoever nests deeper wants to exhaust the stack. */
const MAX_DEPTH = 16;

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Reads one JSON text (RFC 8259), with nothing but white space around it.
 * @throws JsonError
 */
export function parseStrictJson(text: string): JsonValue {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
    this.#take(SPACE);
  }

  end(): void {
    if (this.#position < this.#text.length) throw this.#error('text after the end of the value');
  }

  value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw this.#error(`more than ${MAX_DEPTH} levels of nesting`);
    const value = this.#bareValue(depth);
    this.#take(SPACE);
    return value;
  }

  #bareValue(depth: number): JsonValue {
    switch (this.#text[this.#position]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default: {
        const number = this.#take(NUMBER);
        if (!number) throw this.#error('no JSON value');
        return natural(number);
      }
    }
  }

  #object(depth: number): Map<string, JsonValue> {
    const object = new Map<string, JsonValue>();
    this.#list('}', () => {
      const start = this.#position;
      const key = this.#string();
      if (object.has(key)) throw new JsonError('duplicate', `the key ${JSON.stringify(key)} for the second time`, start);
      this.#take(SPACE);
      this.#expect(':');
      object.set(key, this.value(depth + 1));
    });
    return object;
  }

  #array(depth: number): JsonValue[] {
    const array: JsonValue[] = [];
    this.#list(']', () => array.push(this.value(depth + 1)));
    return array;
  }

  /** What stands between an opening bracket and `close`, separated by commas. */
  #list(close: string, item: () => void): void {
    this.#expect(this.#text[this.#position]);
    if (this.#text[this.#position] !== close) {
      for (;;) {
        item();
        if (this.#text[this.#position] !== ',') break;
        this.#expect(',');
      }
    }
    if (this.#text[this.#position] !== close) throw this.#error(`no ${close} or comma`);
    this.#position++;
  }

  #string(): string {
    const start = this.#position;
    if (this.#text[start] !== '"') throw this.#error('no string');
    let end = this.#text.indexOf('"', start + 1);
    while (end >= 0 && this.#isEscaped(end)) end = this.#text.indexOf('"', end + 1);
    if (end < 0) throw this.#error('a string without an end');
    const value = this.#unescape(this.#text.slice(start + 1, end));
    this.#position = end + 1;
    return value;
  }

  /** Is the quote at `position` behind an odd number of backslashes? */
  #isEscaped(position: number): boolean {
    let first = position;
    while (this.#text[first - 1] === '\\') first--;
    return (position - first) % 2 === 1;
  }

  #unescape(raw: string): string {
    let value: string;
    try {
      value = JSON.parse(`"${raw}"`) as string; // between two quotes it can only be a string, or broken
    } catch {
      throw this.#error('a broken escape or a control character in a string');
    }
    if (LONE_SURROGATE.test(value)) throw this.#error('half a surrogate pair in a string');
    return value;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#position)) throw this.#error('no JSON value');
    this.#position += word.length;
    return value;
  }

  /** One character, and the white space after it. */
  #expect(character: string): void {
    if (this.#text[this.#position] !== character) throw this.#error(`no ${character}`);
    this.#position++;
    this.#take(SPACE);
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#position;
    const token = pattern.exec(this.#text)?.[0] ?? '';
    this.#position += token.length;
    return token;
  }

  #error(message: string): JsonError {
    return new JsonError('syntax', message, this.#position);
  }
}

function natural(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(value) ? value : NaN;
}
