/** @file Where bytes are read from piece by piece: files, Blobs, and whatever can answer for a range. */
import { FormatError } from '@tessera/core';

/** Bytes of which pieces can be read. Implement it for other places, such as HTTP ranges. */
export interface ByteSource {
  /** How many there are. */
  readonly size: number;
  /** `length` of them from `offset` on. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** What is asked of Node's `FileHandle`. */
export interface ReadHandle {
  stat(): Promise<{ readonly size: number }>;
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
}

/** Anything that pieces can be read of. A handle stays its owner's to close. */
export type Readable = ByteSource | ReadHandle | Blob;

export async function byteSourceOf(readable: Readable): Promise<ByteSource> {
  if ('arrayBuffer' in readable) return blobSource(readable);
  return 'stat' in readable ? handleSource(readable, (await readable.stat()).size) : readable;
}

const blobSource = (blob: Blob): ByteSource => ({
  size: blob.size,
  read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
});

const handleSource = (handle: ReadHandle, size: number): ByteSource => ({
  size,
  async read(offset, length) {
    const bytes = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      // oxlint-disable-next-line no-await-in-loop -- a read may give less than was asked for
      const { bytesRead } = await handle.read(bytes, at, length - at, offset + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  },
});

/** All of a piece. @throws FormatError ERR_SAFETENSORS_TRUNCATED when the source has less than its size said. */
export async function readExactly(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(offset, length);
  if (bytes.length !== length)
    throw new FormatError(
      'ERR_SAFETENSORS_TRUNCATED',
      `safetensors: of ${length} bytes from ${offset} on, ${bytes.length} could be read: the file changed, or is cut short`,
    );
  return bytes;
}
