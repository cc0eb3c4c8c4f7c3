/** @file Zip archives, read with care: fflate does the work, and what a hostile archive might do is refused before it. */
import { FormatError } from '@tessera/core';
import { unzipSync } from 'fflate';

export interface ZipOptions {
  /** The most bytes that the wanted entries may take uncompressed, together. Default: 64 MiB and 64 times the archive's own size. */
  readonly maxBytes?: number;
  /** Which entries are wanted. Default: all. */
  readonly wants?: (name: string) => boolean;
}

/** An archive may have this many entries. */
const MAX_ENTRIES = 100_000;

const SIGNATURE = [0x50, 0x4b, 0x03, 0x04];

/** Does it begin as a zip archive does? */
export const isZip = (bytes: Uint8Array): boolean => SIGNATURE.every((byte, i) => bytes[i] === byte);

/**
 * The entries of an archive, by name.
 *
 * @throws FormatError ERR_ZIP for what is no archive, or a broken one; ERR_ZIP_SIZE when it would take more memory than allowed (a zip bomb);
 * ERR_ZIP_NAME for two entries of one name.
 */
export function readZip(file: Uint8Array, options: ZipOptions = {}): Map<string, Uint8Array> {
  // Of a Buffer, whose slice() does not copy.
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  if (!isZip(bytes)) throw new FormatError('ERR_ZIP', 'no zip archive: it does not begin with PK\\x03\\x04');
  const limit = options.maxBytes ?? 64 * 2 ** 20 + 64 * bytes.length;
  const sizes = new Map<string, number>();
  let [total, count] = [0, 0];
  let found: Record<string, Uint8Array>;
  try {
    found = unzipSync(bytes, {
      filter: ({ name, size, originalSize, compression }) => {
        if (++count > MAX_ENTRIES) throw new FormatError('ERR_ZIP_SIZE', `the archive has more than ${MAX_ENTRIES} entries`);
        if (options.wants?.(name) === false) return false;
        if (sizes.has(name) || name === '__proto__')
          throw new FormatError('ERR_ZIP_NAME', `the archive has two entries ${quote(name)}, or a forbidden one`);
        if (compression !== 0 && compression !== 8)
          throw new FormatError('ERR_ZIP', `${quote(name)} is compressed by method ${compression}, which is unknown`);
        if (compression === 0 && size !== originalSize)
          throw new FormatError('ERR_ZIP', `${quote(name)} is stored, with two different sizes`);
        total += originalSize;
        if (!(total <= limit))
          throw new FormatError('ERR_ZIP_SIZE', `the archive unpacks to more than ${limit} bytes; set maxBytes to allow that`);
        sizes.set(name, originalSize);
        return true;
      },
    });
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError('ERR_ZIP', `the archive is broken: ${error instanceof Error ? error.message : String(error)}`);
  }
  const entries = new Map<string, Uint8Array>();
  for (const [name, size] of sizes) {
    const data = Object.hasOwn(found, name) ? found[name] : undefined;
    if (data?.length !== size)
      throw new FormatError(
        'ERR_ZIP',
        `${quote(name)} has ${data?.length ?? 0} bytes, and should have ${size}: the archive is cut short or broken`,
      );
    entries.set(name, data);
  }
  return entries;
}

const quote = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
