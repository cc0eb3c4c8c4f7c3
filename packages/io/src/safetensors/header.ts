/** @file Headers of safetensors files: everything is checked before anything is returned. */
import { FormatError } from '@tessera/core';
import { isSafetensorsDType, LENGTH_BYTES, MAX_HEADER_BYTES, METADATA_KEY, tensorBytes } from './dtypes.js';
import type { SafetensorsDType } from './dtypes.js';
import { JsonError, parseStrictJson } from './header-json.js';
import type { JsonValue } from './header-json.js';

/** What a header says of one tensor. */
export interface SafetensorsInfo {
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** Of the whole tensor. */
  readonly byteLength: number;
}

/** With the place of its data; `end` and `begin` count bytes from the end of the header. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** The file's free-form strings, as an object without prototype. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of the header. */
  readonly entries: readonly HeaderEntry[];
}

/**
 * The length of the header, which the first 8 bytes of a file tell.
 * @param fileBytes The size of the file; undefined where a stream does not tell it.
 */
export function readHeaderLength(bytes: Uint8Array, fileBytes: number | undefined): number {
  if (bytes.length < LENGTH_BYTES) throw broken('TRUNCATED', `the file has ${bytes.length} bytes, and its header's length alone takes 8`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES);
  const length = view.getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) throw broken('HEADER_SIZE', `the header claims ${length} bytes, and the limit is ${MAX_HEADER_BYTES}`);
  if (fileBytes !== undefined && length > fileBytes - LENGTH_BYTES) {
    throw broken('TRUNCATED', `the header claims ${length} bytes, and ${fileBytes - LENGTH_BYTES} follow`);
  }
  return Number(length);
}

/**
 * Reads a header, and checks that its tensors cover the data once.
 * @param dataBytes How many bytes follow the header; undefined where a stream does not tell it.
 * @throws FormatError as {@link parseSafetensors}.
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number | undefined): SafetensorsHeader {
  const header = readHeader(bytes);
  const metadata = readMetadata(header.get(METADATA_KEY));
  header.delete(METADATA_KEY);
  const entries = [...header].map(([name, value]) => readEntry(name, value));
  checkLayout(entries, dataBytes);
  return { metadata, entries };
}

function readHeader(bytes: Uint8Array): Map<string, JsonValue> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw broken('HEADER_UTF8', 'the header is not UTF-8');
  }
  if (!text.startsWith('{')) throw broken('HEADER_JSON', 'the header does not begin with {');
  let header: JsonValue;
  try {
    header = parseStrictJson(text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw broken(error.kind === 'duplicate' ? 'DUPLICATE_KEY' : 'HEADER_JSON', `the header is not JSON that can be read: ${error.message}`);
  }
  return header as Map<string, JsonValue>;
}

function readMetadata(value: JsonValue | undefined): Readonly<Record<string, string>> {
  const metadata = Object.create(null) as Record<string, string>;
  if (value === undefined) return metadata;
  if (!(value instanceof Map)) throw broken('METADATA', `${METADATA_KEY} is no object`);
  for (const [key, text] of value) {
    checkName(key);
    if (typeof text !== 'string') throw broken('METADATA', `${METADATA_KEY} has a value for ${quote(key)} that is no string`);
    metadata[key] = text;
  }
  return metadata;
}

function readEntry(name: string, value: JsonValue): HeaderEntry {
  checkName(name);
  if (!(value instanceof Map)) throw broken('ENTRY', `the entry of ${quote(name)} is no object`, name);
  const dtype = value.get('dtype');
  if (!isSafetensorsDType(dtype)) {
    throw broken(
      'DTYPE',
      `the dtype of ${quote(name)} is ${typeof dtype === 'string' ? `${quote(dtype)}, which is unknown` : 'no string'}`,
      name,
    );
  }
  const shape = readNaturals(value.get('shape'));
  if (!shape) throw broken('SHAPE', `the shape of ${quote(name)} is no list of whole numbers from 0 to 2^53 - 1`, name);
  const offsets = readNaturals(value.get('data_offsets'));
  if (offsets?.length !== 2)
    throw broken('OFFSETS', `the data_offsets of ${quote(name)} are no two whole numbers from 0 to 2^53 - 1`, name);
  const [begin, end] = offsets;
  if (begin > end) throw broken('OFFSETS', `the data of ${quote(name)} end at ${end}, before they begin at ${begin}`, name);
  const size = tensorBytes(dtype, shape);
  if (Number.isNaN(size))
    throw broken('SHAPE', `the size of ${quote(name)}, ${dtype} of ${describe(shape)}, is no number of bytes below 2^53`, name);
  if (size !== end - begin) {
    throw broken(
      'SIZE',
      `${quote(name)}, ${dtype} of ${describe(shape)}, takes ${size} bytes, and its data_offsets hold ${end - begin}`,
      name,
    );
  }
  return { name, dtype, shape, begin, end };
}

/** The tensors, in the order of their offsets, must cover the data once, from the first byte to the last. */
function checkLayout(entries: readonly HeaderEntry[], dataBytes: number | undefined): void {
  let covered = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      throw broken(
        'LAYOUT',
        `the data of ${quote(name)} begin at ${begin}, which leaves ${begin > covered ? 'a gap after' : 'an overlap before'} ${covered}`,
        name,
      );
    }
    if (dataBytes !== undefined && end > dataBytes)
      throw broken('TRUNCATED', `the data of ${quote(name)} end at ${end}, and the file has ${dataBytes} bytes of data`, name);
    covered = end;
  }
  if (dataBytes !== undefined && covered < dataBytes)
    throw broken('TRAILING', `the file has ${dataBytes} bytes of data, and its tensors cover ${covered}`);
}

function readNaturals(value: JsonValue | undefined): number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const numbers = value.map((item) => (typeof item === 'number' ? item : NaN));
  return numbers.some(Number.isNaN) ? undefined : numbers;
}

/** Names become keys of objects in many a program, where this one would change the prototype. */
export function checkName(name: string): void {
  if (name === '__proto__') throw broken('NAME', 'the name "__proto__" is not allowed');
}

/** A name or a dtype from the file, cut to a length that fits a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function describe(shape: readonly number[]): string {
  return `[${shape.length > 16 ? `${shape.slice(0, 16).join(', ')}, …` : shape.join(', ')}]`;
}

export function broken(code: string, message: string, tensor?: string): FormatError {
  return new FormatError(`ERR_SAFETENSORS_${code}`, `safetensors: ${message}`, tensor === undefined ? {} : { tensor });
}
