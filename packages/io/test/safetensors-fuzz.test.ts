/** @file Random and mutated safetensors files: each is read right or refused with a code, and none crashes the reader. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSafetensors, SAFETENSORS_BITS, serializeSafetensors } from '../src/index.js';
import type { SafetensorsDType, SafetensorsTensor } from '../src/index.js';
import { parseStrictJson } from '../src/safetensors/header-json.js';
import { codeOf, fileOf, headerOf } from './safetensors-files.js';

const dtypes = Object.keys(SAFETENSORS_BITS) as SafetensorsDType[];
const bytesOf = (dtype: SafetensorsDType, shape: readonly number[]): number =>
  (shape.reduce((n, size) => n * size, 1) * SAFETENSORS_BITS[dtype]) / 8;

const name = fc.string({ unit: 'binary' }).filter((text) => text !== '__metadata__' && text !== '__proto__');
const tensor = fc
  .record({ dtype: fc.constantFrom(...dtypes), shape: fc.array(fc.nat(4), { maxLength: 4 }) })
  .filter(({ dtype, shape }) => Number.isInteger(bytesOf(dtype, shape)))
  .chain(({ dtype, shape }) =>
    fc
      .uint8Array({ minLength: bytesOf(dtype, shape), maxLength: bytesOf(dtype, shape) })
      .map((data): SafetensorsTensor => ({ dtype, shape, data })),
  );
const tensors = fc.uniqueArray(fc.tuple(name, tensor), { selector: ([key]) => key, maxLength: 6 });
const metadata = fc.option(fc.dictionary(name, fc.string({ unit: 'binary' }), { noNullPrototype: true }), { nil: undefined });
const file = fc.tuple(tensors, metadata).map(([list, texts]) => serializeSafetensors(list, texts));

/** `none` where the bytes of every tensor fit its shape, else the code of the refusal. Whatever else goes wrong, it throws. */
function outcomeOf(bytes: Uint8Array): string {
  return codeOf(() => {
    for (const [key, { dtype, shape, data }] of parseSafetensors(bytes).tensors) {
      if (data.length !== bytesOf(dtype, shape)) throw new Error(`${key} was read with ${data.length} bytes`);
    }
  });
}

const READ_OR_REFUSED = /^(none|ERR_SAFETENSORS_[A-Z_0-9]+)$/;

describe('safetensors, fuzzed', { timeout: 120_000 }, () => {
  it('gives back what was written', () => {
    fc.assert(
      fc.property(tensors, metadata, (list, texts) => {
        const read = parseSafetensors(serializeSafetensors(list, texts));
        expect({ ...read.metadata }).toEqual(texts ?? {});
        expect(new Map(read.tensors)).toEqual(new Map(list));
      }),
    );
  });

  it('survives flipped, cut, inserted and repeated bytes anywhere', () => {
    const edit = fc.record({ at: fc.nat(), drop: fc.nat(20), insert: fc.uint8Array({ maxLength: 20 }) });
    fc.assert(
      fc.property(file, fc.array(edit, { minLength: 1, maxLength: 4 }), (bytes, edits) => {
        let mutated = [...bytes];
        for (const { at, drop, insert } of edits) mutated.splice(at % (mutated.length + 1), drop, ...insert);
        expect(outcomeOf(Uint8Array.from(mutated))).toMatch(READ_OR_REFUSED);
        mutated = [...bytes];
        for (const { at, drop } of edits) mutated[at % mutated.length] ^= 1 << (drop % 8);
        expect(outcomeOf(Uint8Array.from(mutated))).toMatch(READ_OR_REFUSED);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses every proper prefix', () => {
    fc.assert(
      fc.property(file, fc.nat(), (bytes, cut) => {
        expect(codeOf(() => parseSafetensors(bytes.subarray(0, cut % bytes.length)))).toBe('ERR_SAFETENSORS_TRUNCATED');
      }),
    );
  });

  it('survives headers with any JSON in any place', () => {
    const value = fc.oneof(fc.jsonValue(), fc.integer({ min: -3, max: 20 }), fc.constantFrom(2 ** 53, 1e300, -0, 0.5, 'F32', '__proto__'));
    fc.assert(
      fc.property(file, fc.array(fc.tuple(fc.nat(), value), { minLength: 1, maxLength: 3 }), (bytes, replacements) => {
        const { length, text } = headerOf(bytes);
        const header: unknown = JSON.parse(text);
        for (const [at, replacement] of replacements) replaceNth(header, at, replacement);
        expect(outcomeOf(fileOf(JSON.stringify(header), bytes.length - 8 - length))).toMatch(READ_OR_REFUSED);
      }),
      { numRuns: 300 },
    );
  });

  it('survives headers of tokens in any order', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"dtype"',
      '"F32"',
      '"shape"',
      '"data_offsets"',
      '0',
      '4',
      '[1]',
      '[0,4]',
      '\\',
      '"',
      '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}',
      '"__metadata__"',
      ' ',
      'null',
      '-1',
      '1e9',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), fc.nat(8), (tokens, dataBytes) => {
        expect(outcomeOf(fileOf(`{${tokens.join('')}`, dataBytes))).toMatch(READ_OR_REFUSED);
      }),
      { numRuns: 600 },
    );
  });
});

describe('the strict JSON reader, fuzzed', () => {
  it('reads what JSON.parse reads, but for numbers that no header needs', () => {
    const natural = (number: number): number => (Number.isSafeInteger(number) && number >= 0 && !Object.is(number, -0) ? number : NaN);
    const toPlain = (value: unknown): unknown => {
      if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, toPlain(item)]));
      return Array.isArray(value) ? value.map(toPlain) : value;
    };
    const text = fc.json({ maxDepth: 8, stringUnit: 'binary' });
    fc.assert(
      fc.property(text, fc.constantFrom(undefined, 2, '\t'), (json, indent) => {
        const expected: unknown = JSON.parse(json, (_, value: unknown) => (typeof value === 'number' ? natural(value) : value));
        expect(toPlain(parseStrictJson(JSON.stringify(JSON.parse(json), null, indent)))).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });
});

/** Replaces one value, the n-th of all the values inside (counted around), by another. */
function replaceNth(root: unknown, n: number, replacement: unknown): void {
  const places: [Record<string, unknown>, string][] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      places.push([value as Record<string, unknown>, key]);
      visit(item);
    }
  };
  visit(root);
  if (!places.length) return;
  const [holder, key] = places[n % places.length];
  holder[key] = replacement;
}
