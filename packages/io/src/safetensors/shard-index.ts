/** @file The index of a model in shards, as Hugging Face's libraries write and read it. */
import { LENGTH_BYTES, MAX_HEADER_BYTES } from './dtypes.js';
import { broken, checkName, quote } from './header.js';
import { JsonError, type JsonValue, parseStrictJson } from './header-json.js';

/** The file of a model that is not in shards, and the index of one that is. */
export const SINGLE_NAME = 'model.safetensors';
export const INDEX_NAME = 'model.safetensors.index.json';

/** Is it a shard that a set of this form has, whatever their number? */
export const isShardName = (file: string): boolean => /^model-\d{5,}-of-\d{5,}\.safetensors$/.test(file);

/** `at` counts from 1. */
export const shardName = (at: number, of: number): string =>
  `model-${String(at).padStart(5, '0')}-of-${String(of).padStart(5, '0')}.safetensors`;

export interface ShardIndex {
  /** The shard of each tensor. */
  readonly weightMap: ReadonlyMap<string, string>;
  /** The shards, in the order of their names. */
  readonly files: readonly string[];
  /** Bytes of all tensors; undefined where the index does not tell. */
  readonly totalSize: number | undefined;
}

/**
 * Reads an index that may be hostile: shards are files beside it and nothing else, and each tensor is in one.
 * @throws FormatError ERR_SAFETENSORS_INDEX, _DUPLICATE_KEY, _NAME.
 */
export function parseShardIndex(index: string | Uint8Array): ShardIndex {
  if (index.length > MAX_HEADER_BYTES + LENGTH_BYTES) throw broken('INDEX', 'it is too long for an index');
  const text = typeof index === 'string' ? index : decoded(index);
  const value = parsed(text);
  const map = value instanceof Map ? value.get('weight_map') : undefined;
  if (!(value instanceof Map) || !(map instanceof Map)) throw broken('INDEX', 'the index has no weight_map');
  const weightMap = new Map<string, string>();
  for (const [name, file] of map) {
    checkName(name);
    if (typeof file !== 'string') throw broken('INDEX', `the index names no file for ${quote(name)}`, name);
    if (!isFileName(file))
      throw broken('INDEX', `the index says that ${quote(name)} is in ${quote(file)}, which is no .safetensors file beside it`, name);
    weightMap.set(name, file);
  }
  return { weightMap, files: [...new Set(weightMap.values())].toSorted(), totalSize: totalSizeIn(value, text) };
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw broken('INDEX', 'the index is not UTF-8');
  }
}

function parsed(text: string): JsonValue {
  try {
    return parseStrictJson(text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw broken(error.kind === 'duplicate' ? 'DUPLICATE_KEY' : 'INDEX', `the index is not JSON that can be read: ${error.message}`);
  }
}

/** Letters that file systems give no meaning of their own; no way into another folder, and no hidden file. */
const isFileName = (file: string): boolean => /^[\w][\w.+@= -]{0,250}$/.test(file) && !file.includes('..') && file.endsWith('.safetensors');

/** Some libraries write it as a fraction, such as 12.0. */
function totalSizeIn(value: ReadonlyMap<string, JsonValue>, text: string): number | undefined {
  const metadata = value.get('metadata');
  if (!(metadata instanceof Map) || !metadata.has('total_size')) return undefined;
  const { total_size: size } = (JSON.parse(text) as { metadata: Record<string, unknown> }).metadata;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw broken('INDEX', 'the total_size of the index is no number of bytes');
  return size;
}

/** The text of an index. */
export function serializeShardIndex(weightMap: Iterable<readonly [name: string, file: string]>, totalSize: number): string {
  const sorted = [...weightMap].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `${JSON.stringify({ metadata: { total_size: totalSize }, weight_map: Object.fromEntries(sorted) }, null, 2)}\n`;
}
