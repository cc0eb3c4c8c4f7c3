/** @file Writing safetensors files, byte for byte as the reference implementation writes them. */
import { ValueError } from '@tessera/core';
import { isSafetensorsDType, LENGTH_BYTES, MAX_HEADER_BYTES, METADATA_KEY, SAFETENSORS_BITS, tensorBytes } from './dtypes.js';
import type { SafetensorsDType, SafetensorsTensor } from './dtypes.js';

const LONE_SURROGATE = /\p{Surrogate}/u;
const DTYPE_ORDER = Object.keys(SAFETENSORS_BITS);

/**
 * One file of all the tensors: the widest dtypes first, then by name, so that each tensor's data are aligned; the
 * header is padded with spaces to a multiple of 8 bytes.
 *
 * @param tensors Name and tensor, such as a Map; names are unique.
 * @param metadata Free-form strings for the header, written in their order.
 * @throws ValueError ERR_SAFETENSORS_NAME, _DTYPE, _SHAPE, _SIZE or _HEADER_SIZE, for what no reader would accept.
 *
 * @example
 * serializeSafetensors([['bias', { dtype: 'F32', shape: [1], data: new Uint8Array(4) }]], { format: 'pt' });
 */
export function serializeSafetensors(
  tensors: Iterable<readonly [string, SafetensorsTensor]>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const given = [...tensors];
  for (const [name, { dtype, shape, data }] of given) {
    const bytes = checkTensor(name, dtype, shape);
    if (bytes !== data.length) throw refuse('SIZE', `${JSON.stringify(name)} takes ${bytes} bytes and comes with ${data.length}`, name);
  }
  const { head, order } = layOut(given, metadata);
  const file = new Uint8Array(given.reduce((sum, [, { data }]) => sum + data.length, head.length));
  file.set(head);
  let offset = head.length;
  for (const i of order) {
    const { data } = given[i]![1];
    file.set(data, offset);
    offset += data.length;
  }
  return file;
}

/** How a file begins, and in which order its data follow. */
export interface Layout {
  /** The length of the header and the header, padded. */
  readonly head: Uint8Array;
  /** Places in the list of the tensors. */
  readonly order: readonly number[];
}

/** What a file of these tensors begins with. @throws ValueError as {@link serializeSafetensors}. */
export function layOut(
  tensors: readonly (readonly [string, Pick<SafetensorsTensor, 'dtype' | 'shape'>])[],
  metadata?: Readonly<Record<string, string>>,
): Layout {
  const order = [...tensors.keys()].toSorted((i, j) => {
    const [[aName, a], [bName, b]] = [tensors[i]!, tensors[j]!];
    return dtypeRank(b.dtype) - dtypeRank(a.dtype) || compareCodePoints(aName, bName);
  });
  const fields: string[] = [];
  if (metadata) fields.push(`${JSON.stringify(METADATA_KEY)}:${metadataJson(metadata)}`);
  let offset = 0;
  const seen = new Set<string>();
  for (const i of order) {
    const [name, { dtype, shape }] = tensors[i]!;
    const end = offset + checkTensor(name, dtype, shape);
    if (seen.has(name)) throw refuse('NAME', `the name ${JSON.stringify(name)} comes twice`, name);
    seen.add(name);
    fields.push(`${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${offset},${end}]}`);
    offset = end;
  }
  return { head: headOf(`{${fields.join(',')}}`), order };
}

function headOf(header: string): Uint8Array {
  const text = new TextEncoder().encode(header);
  const headerBytes = Math.ceil(text.length / 8) * 8;
  if (headerBytes > MAX_HEADER_BYTES)
    throw refuse('HEADER_SIZE', `the header takes ${headerBytes} bytes, and the limit is ${MAX_HEADER_BYTES}`);
  const head = new Uint8Array(LENGTH_BYTES + headerBytes);
  new DataView(head.buffer).setUint32(0, headerBytes, true);
  head.set(text, LENGTH_BYTES);
  head.fill(0x20, LENGTH_BYTES + text.length);
  return head;
}

function metadataJson(metadata: Readonly<Record<string, string>>): string {
  for (const [key, value] of Object.entries(metadata)) {
    checkName(key);
    if (LONE_SURROGATE.test(value)) throw refuse('NAME', `the metadata ${JSON.stringify(key)} hold half a surrogate pair`, key);
  }
  return JSON.stringify(metadata);
}

/** Answers the bytes that it takes. */
function checkTensor(name: string, dtype: SafetensorsDType, shape: readonly number[]): number {
  checkName(name);
  if (name === METADATA_KEY) throw refuse('NAME', `no tensor may be named ${METADATA_KEY}`, name);
  if (!isSafetensorsDType(dtype)) throw refuse('DTYPE', `${String(dtype)} is no dtype of the format`, name);
  const bytes = shape.every((size) => Number.isSafeInteger(size) && size >= 0) ? tensorBytes(dtype, shape) : NaN;
  if (Number.isNaN(bytes))
    throw refuse('SHAPE', `${JSON.stringify(name)} has the shape [${shape.join(', ')}], which has no size in bytes as ${dtype}`, name);
  return bytes;
}

function checkName(name: string): void {
  if (name === '__proto__' || LONE_SURROGATE.test(name))
    throw refuse('NAME', `${JSON.stringify(name)} is no name for a safetensors file`, name);
}

function dtypeRank(dtype: SafetensorsDType): number {
  return DTYPE_ORDER.indexOf(dtype);
}

/** The order of UTF-8 bytes, which JavaScript's own comparison of strings leaves beyond U+FFFF. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.codePointAt(i) ?? 0;
    const y = b.codePointAt(i) ?? 0;
    if (x !== y) return x - y;
  }
  return a.length - b.length;
}

function refuse(code: string, message: string, tensor?: string): ValueError {
  return new ValueError(`ERR_SAFETENSORS_${code}`, `serializeSafetensors: ${message}`, tensor === undefined ? {} : { tensor });
}
