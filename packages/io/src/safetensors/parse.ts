/** @file Reading safetensors files that are in memory. */
import { LENGTH_BYTES, type SafetensorsTensor } from './dtypes.js';
import { parseHeader, readHeaderLength } from './header.js';

/** A parsed file. */
export interface SafetensorsFile {
  /** The file's free-form strings, as an object without prototype. */
  readonly metadata: Readonly<Record<string, string>>;
  /** By name, in the order of the header. The data are views of the file's bytes. */
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
}

/**
 * Reads a whole safetensors file: an 8-byte little-endian header length, the header in JSON, then the data without
 * gaps. The bytes are shared, not copied.
 *
 * @throws FormatError with one of the codes ERR_SAFETENSORS_TRUNCATED, _HEADER_SIZE, _HEADER_UTF8, _HEADER_JSON,
 * _DUPLICATE_KEY, _METADATA, _NAME, _ENTRY, _DTYPE, _SHAPE, _OFFSETS, _SIZE, _LAYOUT (gaps or overlaps), _TRAILING.
 *
 * @example
 * const { tensors } = parseSafetensors(await readFile('model.safetensors'));
 * tensors.get('fc.weight'); // { dtype: 'F32', shape: [10, 1568], data: Uint8Array(62720) }
 */
export function parseSafetensors(file: Uint8Array): SafetensorsFile {
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength); // of a Buffer, whose slice() does not copy
  const dataStart = LENGTH_BYTES + readHeaderLength(bytes, bytes.length);
  const { metadata, entries } = parseHeader(bytes.subarray(LENGTH_BYTES, dataStart), bytes.length - dataStart);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    tensors.set(name, { dtype, shape, data: bytes.subarray(dataStart + begin, dataStart + end) });
  }
  return { metadata, tensors };
}
