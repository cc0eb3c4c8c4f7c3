/** @file Opening safetensors files without reading their data: one file, or the shards that an index lists. */
import { checkOptions, type OptionNames, FormatError } from '@tessera/core';
import { nodeFiles } from '../files/node-files.js';
import { type ByteSource, byteSourceOf, type Readable, readExactly } from './byte-source.js';
import { MAX_HEADER_BYTES } from './dtypes.js';
import { broken, quote } from './header.js';
import { type Place, placesIn, readHeaderOf, SafetensorsReader } from './reader.js';
import { INDEX_NAME, parseShardIndex, SINGLE_NAME } from './shard-index.js';

const OPEN_SHARDS_OPTIONS: OptionNames<OpenShardsOptions> = { ignoreTotalSize: true };

export interface OpenShardsOptions {
  /** Open a set whose index tells another total size than that of the tensors. Default false: that is refused. */
  readonly ignoreTotalSize?: boolean;
}

/**
 * Opens a safetensors file: reads and checks its header. In Node a path does; it may be that of an index (`….safetensors.index.json`) or of a
 * folder with `model.safetensors` or `model.safetensors.index.json` in it, as Hugging Face's. Close it at the end.
 *
 * @throws FormatError as `parseSafetensors`, and as {@link openSafetensorsShards}; NotSupportedError ERR_NO_FILES for a path outside Node.
 * @example
 * const file = await openSafetensors('model.safetensors'); // or an <input type="file">'s File, or a FileHandle
 * const weight = await file.getTensor('lm_head.weight');
 * for await (const [name, tensor] of file.entries({ filter: (name) => name.startsWith('encoder.') })) …
 * await file.close();
 */
export async function openSafetensors(from: string | Readable, options: OpenShardsOptions = {}): Promise<SafetensorsReader> {
  checkOptions('openSafetensors', options, OPEN_SHARDS_OPTIONS);
  if (typeof from !== 'string') return openOne(await byteSourceOf(from), async () => {});
  const files = await nodeFiles('openSafetensors', 'a Blob, such as a File');
  const path = (await files.isFolder(from)) ? await fileIn(from, files) : from;
  const opened: { close(): Promise<void> }[] = [];
  const open = async (file: string): Promise<ByteSource> => {
    const handle = await files.openFile(file);
    opened.push(handle);
    return byteSourceOf(handle);
  };
  const close = async (): Promise<void> => {
    await Promise.all(opened.splice(0).map((handle) => handle.close()));
  };
  try {
    const source = await open(path);
    if (!path.endsWith('.json')) return await openOne(source, close);
    if (source.size > MAX_HEADER_BYTES) throw broken('INDEX', `${quote(path)} is too long for an index`);
    const index = await readExactly(source, 0, source.size);
    return await openShards(index, (name) => open(files.besides(path, name)), close, options);
  } catch (error) {
    await close();
    throw error;
  }
}

/** In a folder of Hugging Face's. */
async function fileIn(folder: string, files: Awaited<ReturnType<typeof nodeFiles>>): Promise<string> {
  for (const name of [SINGLE_NAME, INDEX_NAME]) {
    const path = files.within(folder, name);
    // oxlint-disable-next-line no-await-in-loop -- the first that is there
    if (await files.exists(path)) return path;
  }
  throw new FormatError('ERR_SAFETENSORS_MISSING', `safetensors: ${quote(folder)} has neither ${SINGLE_NAME} nor ${INDEX_NAME}`);
}

async function openOne(source: ByteSource, close: () => Promise<void>): Promise<SafetensorsReader> {
  const header = await readHeaderOf(source);
  return new SafetensorsReader(header.metadata, new Map(placesIn(source, header)), close);
}

/**
 * Opens the shards that an index lists (Hugging Face's `model.safetensors.index.json`) as one file. All headers are read, and must hold what the
 * index says: names of files are never ways out of the folder.
 *
 * @param index The text of the index, or its bytes.
 * @param open Gives the file of a name.
 * @throws FormatError ERR_SAFETENSORS_INDEX for an index that is broken, or does not fit its shards; as `parseSafetensors` for a shard; and what
 * `open` throws for one that is missing, in Node's own files ERR_SAFETENSORS_MISSING.
 * @example
 * const index = await (await fetch(`${url}/model.safetensors.index.json`)).text();
 * const model = await openSafetensorsShards(index, async (name) => (await fetch(`${url}/${name}`)).blob());
 */
export async function openSafetensorsShards(
  index: string | Uint8Array,
  open: (file: string) => Promise<Readable> | Readable,
  options: OpenShardsOptions = {},
): Promise<SafetensorsReader> {
  checkOptions('openSafetensorsShards', options, OPEN_SHARDS_OPTIONS);
  return openShards(
    index,
    async (file) => byteSourceOf(await open(file)),
    async () => {},
    options,
  );
}

async function openShards(
  text: string | Uint8Array,
  open: (file: string) => Promise<ByteSource>,
  close: () => Promise<void>,
  { ignoreTotalSize = false }: OpenShardsOptions,
): Promise<SafetensorsReader> {
  const index = parseShardIndex(text);
  const places = new Map<string, Place>();
  let metadata: Readonly<Record<string, string>> = {};
  for (const file of index.files) {
    // oxlint-disable-next-line no-await-in-loop -- the first that is wrong is told
    const source = await open(file).catch((cause: unknown) => {
      if ((cause as { code?: string }).code !== 'ENOENT') throw cause;
      throw broken('MISSING', `the index lists the shard ${quote(file)}, which is not there`);
    });
    // oxlint-disable-next-line no-await-in-loop -- as above
    const header = await readHeaderOf(source);
    metadata = { ...metadata, ...header.metadata };
    for (const [name, place] of placesIn(source, header)) {
      const listed = index.weightMap.get(name);
      if (listed !== file)
        throw broken(
          'INDEX',
          `the shard ${quote(file)} has ${quote(name)}, which the index ${listed === undefined ? 'does not list' : `says is in ${quote(listed)}`}`,
          name,
        );
      places.set(name, place);
    }
  }
  for (const [name, file] of index.weightMap)
    if (!places.has(name)) throw broken('INDEX', `the index says that ${quote(name)} is in ${quote(file)}, which has no such tensor`, name);
  const bytes = [...places.values()].reduce((sum, place) => sum + place.byteLength, 0);
  if (!ignoreTotalSize && index.totalSize !== undefined && index.totalSize !== bytes)
    throw broken(
      'INDEX',
      `the index tells a total size of ${index.totalSize}, and the tensors take ${bytes} bytes; ignoreTotalSize opens them all the same`,
    );
  return new SafetensorsReader(metadata, places, close);
}
