/** @file Writing safetensors piece by piece, into one file or into shards. */
import { checkOptions, type OptionNames, type Tensor, ValueError } from '@tessera/core';
import { nodeFiles } from '../files/node-files.js';
import { type SafetensorsDType, tensorBytes } from './dtypes.js';
import { fileDType, int32ToInt64Bytes } from './host-array.js';
import { layOut } from './serialize.js';
import { INDEX_NAME, isShardName, serializeShardIndex, shardName, SINGLE_NAME } from './shard-index.js';
import { entriesOf, isWide, type NamedTensors, type SaveOptions } from './tensors.js';

const SAVE_OPTIONS: OptionNames<SaveOptions> = { metadata: true, int64: true };
const SHARD_OPTIONS: OptionNames<ShardOptions> = { maxShardSize: true, metadata: true, int64: true };

const INSTEAD = 'safetensorsChunks';

/**
 * The bytes of a safetensors file, piece by piece: its header, then each tensor as it is read from its device. Together they are what
 * `saveSafetensors` gives. Leave the tensors as they are until the last piece has come.
 *
 * @throws ValueError as `serializeSafetensors`.
 * @example await new Response(ReadableStream.from(safetensorsChunks(model.stateDict()))).blob()
 */
export async function* safetensorsChunks(tensors: NamedTensors, options: SaveOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
  checkOptions('safetensorsChunks', options, SAVE_OPTIONS);
  const entries = entriesOf(tensors);
  const described = entries.map(([name, tensor]) => [name, { dtype: dtypeInFile(name, tensor, options), shape: tensor.shape }] as const);
  const { head, order } = layOut(described, options.metadata);
  yield head;
  for (const i of order) {
    const [, tensor] = entries[i]!;
    if (tensor.numel() === 0) continue;
    // oxlint-disable-next-line no-await-in-loop -- one at a time is the point
    const bytes = await tensor.bytesAsync();
    yield described[i]![1].dtype === 'I64' ? int32ToInt64Bytes(new Int32Array(bytes.slice().buffer)) : bytes;
  }
}

const dtypeInFile = (name: string, tensor: Tensor, options: SaveOptions): SafetensorsDType =>
  isWide(name, tensor, options) ? 'I64' : fileDType(tensor.dtype);

/**
 * Writes a safetensors file with one tensor in memory at a time; a crash leaves the old file or the new one. Node only.
 * @throws ValueError as `serializeSafetensors`; NotSupportedError ERR_NO_FILES.
 * @example await saveSafetensorsFile('model.safetensors', model.stateDict())
 */
export async function saveSafetensorsFile(path: string, tensors: NamedTensors, options: SaveOptions = {}): Promise<void> {
  checkOptions('saveSafetensorsFile', options, SAVE_OPTIONS);
  const files = await nodeFiles('saveSafetensorsFile', INSTEAD);
  await files.writeAtomically(path, safetensorsChunks(tensors, options));
}

export interface ShardOptions extends SaveOptions {
  /** The most bytes of tensors a shard: a number, or a text such as '5GB', '500MB', '2GiB'. A larger tensor has a shard of its own. Default '5GB'. */
  readonly maxShardSize?: number | string;
}

/** How tensors are divided into files. */
export interface Shards {
  /** The tensors of each file. */
  readonly files: ReadonlyMap<string, readonly (readonly [string, Tensor])[]>;
  /** The text of `model.safetensors.index.json`; null where one file, `model.safetensors`, holds everything. */
  readonly index: string | null;
}

/**
 * Divides tensors into shards, in their order, with the names that Hugging Face's libraries give them.
 * @throws ValueError ERR_SAFETENSORS_SHARD_SIZE; ERR_SAFETENSORS_NAME for a name that comes twice.
 * @example for (const [file, part] of shardSafetensors(model.stateDict(), { maxShardSize: '1GB' }).files) await upload(file, safetensorsChunks(part))
 */
export function shardSafetensors(tensors: NamedTensors, options: ShardOptions = {}): Shards {
  checkOptions('shardSafetensors', options, SHARD_OPTIONS);
  const most = bytesOf(options.maxShardSize ?? '5GB');
  const shards: [string, Tensor][][] = [];
  let [room, total] = [-1, 0];
  const seen = new Set<string>();
  for (const [name, tensor] of entriesOf(tensors)) {
    // Within a file its writer would say so; two files may each have one.
    if (seen.has(name))
      throw new ValueError('ERR_SAFETENSORS_NAME', `shardSafetensors: the name ${JSON.stringify(name)} comes twice`, { tensor: name });
    seen.add(name);
    const size = tensorBytes(dtypeInFile(name, tensor, options), tensor.shape);
    if (size > room) {
      shards.push([]);
      room = most;
    }
    shards.at(-1)!.push([name, tensor]);
    room -= size;
    total += size;
  }
  if (shards.length < 2) return { files: new Map([[SINGLE_NAME, shards[0] ?? []]]), index: null };
  const files = new Map(shards.map((shard, i) => [shardName(i + 1, shards.length), shard]));
  const weightMap = [...files].flatMap(([file, shard]) => shard.map(([name]) => [name, file] as const));
  return { files, index: serializeShardIndex(weightMap, total) };
}

/**
 * Writes a model into a folder as Hugging Face's `save_pretrained` does: `model.safetensors`, or shards with an index. Shards of an earlier model
 * there are taken away. A crash leaves whole files, and no index while there are shards of two models. Node only.
 *
 * @param options `metadata` is `{ format: 'pt' }` by default, without which those libraries refuse a file.
 * @throws ValueError ERR_SAFETENSORS_SHARD_SIZE, and as `serializeSafetensors`; NotSupportedError ERR_NO_FILES.
 * @example await saveSafetensorsShards('out/model', model.stateDict(), { maxShardSize: '500MB' })
 */
export async function saveSafetensorsShards(folder: string, tensors: NamedTensors, options: ShardOptions = {}): Promise<void> {
  checkOptions('saveSafetensorsShards', options, SHARD_OPTIONS);
  const files = await nodeFiles('saveSafetensorsShards', `shardSafetensors and ${INSTEAD}`);
  const shards = shardSafetensors(tensors, options);
  const chunks = { metadata: options.metadata ?? { format: 'pt' }, int64: options.int64 };
  const contents = [...shards.files].map(([file, part]) => [file, safetensorsChunks(part, chunks)] as const);
  const index = shards.index === null ? [] : [[INDEX_NAME, new TextEncoder().encode(shards.index)] as const];
  await files.writeSet(folder, [...contents, ...index], (file) => file === SINGLE_NAME || file === INDEX_NAME || isShardName(file));
}

const UNITS: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3, t: 4 };

/** As Hugging Face's libraries read sizes: GB are 10^9 bytes, GiB are 2^30. */
function bytesOf(size: number | string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b$/i.exec(String(size));
  const bytes =
    typeof size === 'number' || match === null
      ? Number(size)
      : Math.floor(Number(match[1]) * (match[3] === '' ? 1000 : 1024) ** UNITS[match[2]!.toLowerCase()]!);
  if (!(bytes > 0))
    throw new ValueError(
      'ERR_SAFETENSORS_SHARD_SIZE',
      `maxShardSize is a number of bytes or a text such as '5GB', not ${JSON.stringify(size)}`,
    );
  return bytes;
}
