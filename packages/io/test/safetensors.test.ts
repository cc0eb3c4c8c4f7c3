/** @file safetensors: what the reference implementation writes, and every kind of file that must be refused. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromHostArray, int64ToInt32, parseSafetensors, serializeSafetensors, toHostArray } from '../src/index.js';
import type { SafetensorsDType, SafetensorsTensor } from '../src/index.js';
import { codeOf, errorOf, fileOf, headerOf } from './safetensors-files.js';

const digits = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../examples/data/digits/${name}`, import.meta.url)));

describe('files of the reference implementation', () => {
  it.each(['digits', 'cnn_init', 'batch_order', 'cnn_final_adam'])('%s.safetensors is read, and written the same byte for byte', (name) => {
    const bytes = digits(`${name}.safetensors`);
    const { metadata, tensors } = parseSafetensors(bytes);
    // The reference keeps metadata in a hash map, so their order is taken from the file.
    expect(serializeSafetensors(tensors, Object.keys(metadata).length ? metadata : undefined)).toEqual(bytes);
  });

  it('has its tensors and metadata', () => {
    const { metadata, tensors } = parseSafetensors(digits('digits.safetensors'));
    expect({ ...metadata }).toEqual({
      scale: 'pixel/16',
      source: 'scikit-learn load_digits (UCI optical digits, CC BY 4.0)',
      train: 'first 1437',
    });
    expect([...tensors].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ['images', 'U8', [1797, 8, 8]],
      ['labels', 'U8', [1797]],
    ]);
    expect(Math.max(...tensors.get('images')!.data)).toBe(16);
  });

  it('shares the bytes, also of a file inside a larger buffer', () => {
    const bytes = digits('cnn_init.safetensors');
    const larger = new Uint8Array(bytes.length + 3);
    larger.set(bytes, 3);
    const { tensors } = parseSafetensors(larger.subarray(3));
    expect(tensors.get('0.weight')!.data.buffer).toBe(larger.buffer);
    expect(tensors.get('0.weight')!.data).toEqual(parseSafetensors(bytes).tensors.get('0.weight')!.data);
  });
});

describe('serializeSafetensors', () => {
  it('puts wide dtypes first, then sorts by name in the order of UTF-8, and pads the header', () => {
    const tensor = (dtype: SafetensorsDType, bytes: number): SafetensorsTensor => ({ dtype, shape: [1], data: new Uint8Array(bytes) });
    const file = serializeSafetensors(
      [
        ['b', tensor('F32', 4)],
        ['u', tensor('U8', 1)],
        ['\u{1f600}', tensor('F32', 4)],
        ['\uffee', tensor('F32', 4)],
        ['a', tensor('F32', 4)],
        ['z', tensor('I64', 8)],
      ],
      { format: 'pt' },
    );
    const { length, text } = headerOf(file);
    expect(length % 8).toBe(0);
    expect(text).toMatch(/^\{"__metadata__":\{"format":"pt"\},"z":\{"dtype":"I64","shape":\[1\],"data_offsets":\[0,8\]\},"a"/);
    expect([...parseSafetensors(file).tensors.keys()]).toEqual(['z', 'a', 'b', '\uffee', '\u{1f600}', 'u']);
  });

  it('writes files without tensors, and tensors without dims or elements', () => {
    expect(headerOf(serializeSafetensors([])).text).toBe('{}      ');
    const tensors = new Map<string, SafetensorsTensor>([
      ['empty', { dtype: 'F64', shape: [0, 7], data: new Uint8Array(0) }],
      ['scalar', { dtype: 'BF16', shape: [], data: Uint8Array.of(1, 2) }],
      ['nibbles', { dtype: 'F4', shape: [3, 2], data: Uint8Array.of(1, 2, 3) }],
    ]);
    expect(new Map(parseSafetensors(serializeSafetensors(tensors)).tensors)).toEqual(tensors);
  });

  it.each<[string, [string, SafetensorsTensor][], Record<string, string>?]>([
    ['NAME', [['__metadata__', { dtype: 'U8', shape: [], data: new Uint8Array(1) }]]],
    ['NAME', [['__proto__', { dtype: 'U8', shape: [], data: new Uint8Array(1) }]]],
    ['NAME', [['half \ud800', { dtype: 'U8', shape: [], data: new Uint8Array(1) }]]],
    [
      'NAME',
      [
        ['a', { dtype: 'U8', shape: [0], data: new Uint8Array(0) }],
        ['a', { dtype: 'F32', shape: [0], data: new Uint8Array(0) }],
      ],
    ],
    ['NAME', [], { key: '\udfff' }],
    ['DTYPE', [['a', { dtype: 'float32' as SafetensorsDType, shape: [], data: new Uint8Array(4) }]]],
    ['SHAPE', [['a', { dtype: 'U8', shape: [-1, -1], data: new Uint8Array(1) }]]],
    ['SHAPE', [['a', { dtype: 'U8', shape: [0.5, 2], data: new Uint8Array(1) }]]],
    ['SHAPE', [['a', { dtype: 'F4', shape: [3], data: new Uint8Array(2) }]]],
    ['SIZE', [['a', { dtype: 'F32', shape: [2], data: new Uint8Array(4) }]]],
  ])('refuses with ERR_SAFETENSORS_%s what no reader would accept: %j', (code, tensors, metadata) => {
    expect(codeOf(() => serializeSafetensors(tensors, metadata))).toBe(`ERR_SAFETENSORS_${code}`);
  });
});

const entry = (dtype: unknown, shape: unknown, offsets: unknown): string => JSON.stringify({ dtype, shape, data_offsets: offsets });
const one = entry('F32', [2], [0, 8]);

describe('hostile files', () => {
  it.each<[code: string, what: string, file: Uint8Array]>([
    ['TRUNCATED', 'nothing at all', new Uint8Array(0)],
    ['TRUNCATED', 'half a length', new Uint8Array(7)],
    ['TRUNCATED', 'a header longer than the file', fileOf('{}', 0, 3n)],
    ['TRUNCATED', 'missing data', fileOf(`{"a":${one}}`, 7)],
    ['HEADER_SIZE', 'a header above the limit', fileOf('{}', 0, 100_000_001n)],
    ['HEADER_SIZE', 'the largest length there is', fileOf('{}', 0, 2n ** 64n - 1n)],
    ['HEADER_SIZE', 'a big-endian length', fileOf('{}', 0, 2n << 56n)],
    ['HEADER_UTF8', 'a header that is no UTF-8', fileOf(Uint8Array.of(0x7b, 0xff, 0x7d), 0)],
    ['HEADER_UTF8', 'an overlong character', fileOf(Uint8Array.of(0x7b, 0x22, 0xc0, 0xaf, 0x22), 0)],
    ['HEADER_JSON', 'an empty header', fileOf('', 0)],
    ['HEADER_JSON', 'a byte order mark', fileOf('\ufeff{}', 0)],
    ['HEADER_JSON', 'white space first', fileOf(' {}', 0)],
    ['HEADER_JSON', 'a list', fileOf('[]', 0)],
    ['HEADER_JSON', 'a number', fileOf('1', 0)],
    ['HEADER_JSON', 'no end', fileOf('{', 0)],
    ['HEADER_JSON', 'text after the end', fileOf('{}{}', 0)],
    ['HEADER_JSON', 'zero bytes as padding', fileOf('{}\0\0', 0)],
    ['HEADER_JSON', 'a trailing comma', fileOf(`{"a":${one},}`, 8)],
    ['HEADER_JSON', 'a string without an end', fileOf('{"a', 0)],
    ['HEADER_JSON', 'an escaped end of a string', fileOf('{"a\\"', 0)],
    ['HEADER_JSON', 'a control character', fileOf('{"\n":1}', 0)],
    ['HEADER_JSON', 'a broken escape', fileOf('{"\\x":1}', 0)],
    ['HEADER_JSON', 'half a surrogate pair', fileOf(`{"\\ud800":${one}}`, 8)],
    ['HEADER_JSON', 'endless nesting', fileOf(`{"a":${'['.repeat(100_000)}`, 0)],
    ['HEADER_JSON', 'a leading zero', fileOf('{"a":01}', 0)],
    ['HEADER_JSON', 'a word that JSON lacks', fileOf('{"a":NaN}', 0)],
    ['DUPLICATE_KEY', 'two tensors of one name', fileOf(`{"a":${one},"a":${one}}`, 8)],
    ['DUPLICATE_KEY', 'the same name in two spellings', fileOf(`{"a":${one},"\\u0061":${one}}`, 8)],
    ['DUPLICATE_KEY', 'two shapes', fileOf('{"a":{"dtype":"F32","shape":[2],"shape":[1],"data_offsets":[0,8]}}', 8)],
    ['DUPLICATE_KEY', 'two metadata', fileOf('{"__metadata__":{},"__metadata__":{}}', 0)],
    ['METADATA', 'metadata that are a list', fileOf('{"__metadata__":[]}', 0)],
    ['METADATA', 'metadata that are null', fileOf('{"__metadata__":null}', 0)],
    ['METADATA', 'a number in the metadata', fileOf('{"__metadata__":{"a":1}}', 0)],
    ['NAME', 'a tensor named __proto__', fileOf(`{"__proto__":${one}}`, 8)],
    ['NAME', 'metadata named __proto__', fileOf('{"__metadata__":{"__proto__":"x"}}', 0)],
    ['ENTRY', 'an entry that is null', fileOf('{"a":null}', 0)],
    ['ENTRY', 'an entry that is a list', fileOf('{"a":["F32",[2],[0,8]]}', 8)],
    ['DTYPE', 'an unknown dtype', fileOf(`{"a":${entry('F31', [2], [0, 8])}}`, 8)],
    ['DTYPE', 'a dtype from the prototype', fileOf(`{"a":${entry('constructor', [2], [0, 8])}}`, 8)],
    ['DTYPE', 'a dtype that is no string', fileOf(`{"a":${entry(['F32'], [2], [0, 8])}}`, 8)],
    ['DTYPE', 'no dtype', fileOf('{"a":{"shape":[2],"data_offsets":[0,8]}}', 8)],
    ['SHAPE', 'no shape', fileOf('{"a":{"dtype":"F32","data_offsets":[0,8]}}', 8)],
    ['SHAPE', 'a shape that is a number', fileOf(`{"a":${entry('F32', 2, [0, 8])}}`, 8)],
    ['SHAPE', 'a negative size', fileOf(`{"a":${entry('F32', [-2], [0, 8])}}`, 8)],
    ['SHAPE', 'two negative sizes', fileOf(`{"a":${entry('F32', [-1, -2], [0, 8])}}`, 8)],
    ['SHAPE', 'a fractional size', fileOf(`{"a":${entry('F32', [0.5, 4], [0, 8])}}`, 8)],
    ['SHAPE', 'a size written as a fraction', fileOf('{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}', 8)],
    ['SHAPE', 'a size written with an exponent', fileOf('{"a":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}', 8)],
    ['SHAPE', 'a size that is a string', fileOf(`{"a":${entry('F32', ['2'], [0, 8])}}`, 8)],
    ['SHAPE', 'a size beyond 2^53', fileOf('{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,8]}}', 8)],
    ['SHAPE', 'sizes whose product overflows', fileOf(`{"a":${entry('F32', [2 ** 40, 2 ** 40], [0, 8])}}`, 8)],
    ['SHAPE', 'sizes whose product wraps to 2 in 64 bits', fileOf(`{"a":${entry('F32', [2 ** 33, 2 ** 32, 1], [0, 8])}}`, 8)],
    ['SHAPE', 'an overflow that a size of 0 hides', fileOf(`{"a":${entry('F32', [2 ** 40, 2 ** 40, 0], [0, 0])}}`, 0)],
    ['SHAPE', 'half a byte', fileOf(`{"a":${entry('F4', [3], [0, 2])}}`, 2)],
    ['OFFSETS', 'no offsets', fileOf('{"a":{"dtype":"F32","shape":[2]}}', 8)],
    ['OFFSETS', 'one offset', fileOf(`{"a":${entry('F32', [2], [8])}}`, 8)],
    ['OFFSETS', 'three offsets', fileOf(`{"a":${entry('F32', [2], [0, 8, 8])}}`, 8)],
    ['OFFSETS', 'a negative offset', fileOf(`{"a":${entry('F32', [2], [-8, 0])}}`, 8)],
    ['OFFSETS', 'a fractional offset', fileOf(`{"a":${entry('F32', [2], [0.5, 8.5])}}`, 9)],
    ['OFFSETS', 'an end before the begin', fileOf(`{"a":${entry('F32', [2], [8, 0])}}`, 8)],
    [
      'OFFSETS',
      'offsets beyond 2^53',
      fileOf('{"a":{"dtype":"U8","shape":[0],"data_offsets":[18446744073709551615,18446744073709551615]}}', 8),
    ],
    ['SIZE', 'too few bytes for the shape', fileOf(`{"a":${entry('F32', [2], [0, 4])}}`, 4)],
    ['SIZE', 'too many bytes for the shape', fileOf(`{"a":${entry('F32', [2], [0, 12])}}`, 12)],
    ['SIZE', 'no bytes for a scalar', fileOf(`{"a":${entry('F32', [], [0, 0])}}`, 0)],
    ['LAYOUT', 'two tensors on the same bytes', fileOf(`{"a":${one},"b":${one}}`, 8)],
    ['LAYOUT', 'an overlap', fileOf(`{"a":${one},"b":${entry('F32', [2], [4, 12])}}`, 12)],
    ['LAYOUT', 'a gap', fileOf(`{"a":${one},"b":${entry('F32', [2], [12, 20])}}`, 20)],
    ['LAYOUT', 'a gap before the first', fileOf(`{"a":${entry('F32', [2], [4, 12])}}`, 12)],
    ['LAYOUT', 'an empty tensor amid the data of another', fileOf(`{"a":${one},"b":${entry('F32', [0], [4, 4])}}`, 8)],
    ['TRUNCATED', 'a tensor beyond the end', fileOf(`{"a":${one},"b":${entry('F32', [2 ** 40], [8, 8 + 2 ** 42])}}`, 16)],
    ['TRAILING', 'bytes after the last tensor', fileOf(`{"a":${one}}`, 9)],
    ['TRAILING', 'bytes without a tensor', fileOf('{}', 1)],
  ])('ERR_SAFETENSORS_%s: %s', (code, _, file) => {
    expect(codeOf(() => parseSafetensors(file))).toBe(`ERR_SAFETENSORS_${code}`);
  });

  it('names the tensor, cut to a length that fits a message', () => {
    const error = errorOf(() => parseSafetensors(fileOf(`{"${'x'.repeat(1_000_000)}":${entry('F31', [2], [0, 8])}}`, 8)));
    expect(error?.message.length).toBeLessThan(200);
    expect(error?.details.tensor).toHaveLength(1_000_000);
  });

  it('reads what is unusual but allowed: unknown fields, white space, any order, many empty tensors', () => {
    const { tensors } = parseSafetensors(
      fileOf(
        `{ "b" : {"shape":[2],"data_offsets":[4,12],"dtype":"F32","note":[{"deep":1e99}]},\n"a":${entry('U8', [4], [0, 4])},"e":${entry('F64', [0], [4, 4])},"f":${entry('F64', [3, 0], [12, 12])} } `,
        12,
      ),
    );
    expect([...tensors.keys()]).toEqual(['b', 'a', 'e', 'f']);
    expect(tensors.get('b')!.data).toEqual(Uint8Array.of(4, 5, 6, 7, 8, 9, 10, 11));
  });
});

describe("the framework's types", () => {
  const tensor = (dtype: SafetensorsDType, array: ArrayBufferView & { length: number }): SafetensorsTensor => ({
    dtype,
    shape: [array.length],
    data: new Uint8Array(array.buffer),
  });

  it.each<[SafetensorsDType, string, ArrayBufferView & { length: number }, number[]]>([
    ['F32', 'float32', Float32Array.of(1.5, -0), [1.5, -0]],
    ['F64', 'float64', Float64Array.of(0.1), [0.1]],
    ['F16', 'float16', Uint16Array.of(0x3c00), [0x3c00]],
    ['BF16', 'bfloat16', Uint16Array.of(0x3f80), [0x3f80]],
    ['I32', 'int32', Int32Array.of(-7), [-7]],
    ['U8', 'uint8', Uint8Array.of(255), [255]],
    ['BOOL', 'bool', Uint8Array.of(0, 1), [0, 1]],
    ['I64', 'int32', BigInt64Array.of(-(2n ** 31n), -1n, 0n, 2n ** 31n - 1n), [-(2 ** 31), -1, 0, 2 ** 31 - 1]],
    ['U64', 'int32', BigUint64Array.of(2n ** 31n - 1n), [2 ** 31 - 1]],
    ['U32', 'int32', Uint32Array.of(5), [5]],
    ['U16', 'int32', Uint16Array.of(65535), [65535]],
    ['I16', 'int32', Int16Array.of(-3), [-3]],
    ['I8', 'int32', Int8Array.of(-128), [-128]],
  ])('%s becomes %s', (dtype, expected, array, values) => {
    const host = toHostArray('x', tensor(dtype, array));
    expect(host.dtype).toBe(expected);
    expect([...host.array]).toEqual(values);
  });

  it.each<[string, SafetensorsTensor]>([
    ['ERR_SAFETENSORS_RANGE', tensor('I64', BigInt64Array.of(0n, 2n ** 31n))],
    ['ERR_SAFETENSORS_RANGE', tensor('I64', BigInt64Array.of(-(2n ** 31n) - 1n))],
    ['ERR_SAFETENSORS_RANGE', tensor('I64', BigInt64Array.of(2n ** 32n))],
    ['ERR_SAFETENSORS_RANGE', tensor('U64', BigUint64Array.of(2n ** 63n))],
    ['ERR_SAFETENSORS_RANGE', tensor('U32', Uint32Array.of(2 ** 31))],
    ['ERR_SAFETENSORS_BOOL', tensor('BOOL', Uint8Array.of(1, 2))],
    ['ERR_SAFETENSORS_DTYPE', tensor('C64', new Float32Array(2))],
    ['ERR_SAFETENSORS_DTYPE', tensor('F8_E4M3', new Uint8Array(2))],
  ])('%s for %j', (code, bad) => {
    expect(codeOf(() => toHostArray('x', bad))).toBe(code);
  });

  it('copies from a Buffer too', () => {
    const file = Buffer.from(serializeSafetensors([['a', tensor('I32', Int32Array.of(5))]]));
    const { tensors } = parseSafetensors(file);
    const host = toHostArray('a', tensors.get('a')!);
    file.fill(0);
    expect([...host.array]).toEqual([5]);
  });

  it('reads data at odd offsets', () => {
    const bytes = new Uint8Array(9);
    bytes.set(new Uint8Array(Float64Array.of(0.1).buffer), 1);
    expect([...toHostArray('x', { dtype: 'F64', shape: [], data: bytes.subarray(1) }).array]).toEqual([0.1]);
  });

  it('writes int32 as I64 where PyTorch expects it', () => {
    const values = Int32Array.of(-1, 0, 1, -(2 ** 31), 2 ** 31 - 1);
    const written = fromHostArray({ dtype: 'int32', array: values }, [5], 'I64');
    expect(written.dtype).toBe('I64');
    expect([...new BigInt64Array(written.data.slice().buffer)]).toEqual([...values].map(BigInt));
    expect(int64ToInt32('x', new BigInt64Array(written.data.slice().buffer))).toEqual(values);
    expect(fromHostArray({ dtype: 'bool', array: Uint8Array.of(1) }, [1])).toEqual({ dtype: 'BOOL', shape: [1], data: Uint8Array.of(1) });
  });
});
