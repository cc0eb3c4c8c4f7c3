/** @file Memory: bytes that go in come out, the account is right, the claims of a backend are true, and its end is an end. */
import { type DType, DTYPE_INFO, DTYPES, isTesseraError, KERNEL_DTYPES, type View } from '@tessera/core';
import { Mismatch } from '../check/result.js';
import { Skip } from '../check/skip.js';
import type { Suite } from '../suite.js';
import type { Subject } from '../subject/subject.js';
import type { Bench } from './bench.js';
import { toBytes } from './bytes.js';
import { kernelSuite, type KernelTests } from './case.js';
import { identityProgram } from './programs.js';

const REQUIRED: readonly DType[] = ['float32', 'int32', 'uint8', 'bool'];

export const memorySuite = (): Suite => kernelSuite('memory', tests);

function* tests(): KernelTests {
  yield ['claims', (_, subject) => claims(subject)];
  for (const dtype of DTYPES) {
    yield [`${dtype}/round-trip`, (_, subject) => roundTrip(subject, dtype)];
    yield [`${dtype}/parts`, (_, subject) => parts(subject, dtype)];
  }
  yield ['account', (_, subject) => account(subject)];
  yield ['distinct', (_, subject) => distinct(subject)];
  yield ['reuse', (_, subject) => reuse(subject)];
  yield ['write-copies', (_, subject) => writeCopies(subject)];
  yield ['write-part-of-an-array', (_, subject) => writePartOfArray(subject)];
  yield ['read-is-owned', (_, subject) => readIsOwned(subject)];
  yield ['too-large', (_, subject) => tooLarge(subject)];
  yield ['synchronize', (bench, subject) => synchronized(bench, subject)];
  yield ['order/read', (bench) => readsAfterKernels(bench)];
  yield ['order/write', (bench, subject) => writesInOrder(bench, subject)];
  yield ['order/free', (bench, subject) => freesInOrder(bench, subject)];
  yield ['disposed', (_, subject) => disposed(subject)];
}

function claims({ device: { backend } }: Subject): void {
  const { capabilities } = backend;
  const missing = REQUIRED.filter((dtype) => !capabilities.dtypes.includes(dtype));
  if (missing.length > 0) throw new Mismatch(`a backend must have ${missing.join(', ')}`);
  if (new Set(capabilities.dtypes).size !== capabilities.dtypes.length) throw new Mismatch('a dtype is listed twice');
  if (capabilities.syncRead !== (backend.readSync !== undefined))
    throw new Mismatch(`syncRead is ${capabilities.syncRead}, and readSync is ${typeof backend.readSync}`);
  // Two inputs, two outputs and indices: the least that core can work with.
  if (!(capabilities.maxBuffers >= 5)) throw new Mismatch(`maxBuffers is ${capabilities.maxBuffers}`);
  if (!(capabilities.maxInstructions >= 8)) throw new Mismatch(`maxInstructions is ${capabilities.maxInstructions}`);
  const lacking = Object.keys(KERNEL_DTYPES).filter((kernel) => !(kernel in backend.kernels));
  if (lacking.length > 0) throw new Mismatch(`a backend must have the kernels ${lacking.join(', ')}`);
  for (const kernel of Object.keys(backend.kernels)) {
    if (typeof backend.kernels[kernel as keyof typeof backend.kernels] !== 'function') throw new Mismatch(`${kernel} is no function`);
  }
}

function needs({ device: { backend } }: Subject, dtype: DType): void {
  if (!backend.capabilities.dtypes.includes(dtype)) throw new Skip('device', `${backend.id} has no ${dtype}`);
}

/** Bytes that are elements of a dtype: truth values are 0 and 1, and NaN's payload is nobody's promise. */
function sample(dtype: DType, length: number): Uint8Array {
  return toBytes(
    Array.from({ length }, (_, i) =>
      dtype === 'bool' ? (i % 3 === 0 ? 1 : 0) : dtype === 'uint8' ? (i * 37) % 256 : (i % 2 === 0 ? 1 : -1) * i,
    ),
    dtype,
  );
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((x, i) => x === b[i]);

/** Sizes that fill no word, no vector and no page. */
async function roundTrip(subject: Subject, dtype: DType): Promise<void> {
  needs(subject, dtype);
  const { backend } = subject.device;
  for (const length of [1, 2, 3, 5, 63, 1025, 70001]) {
    const buffer = backend.allocate(dtype, length);
    const bytes = sample(dtype, length);
    if (buffer.dtype !== dtype || buffer.length !== length)
      throw new Mismatch(`allocate(${dtype}, ${length}) gave ${buffer.length} of ${buffer.dtype}`);
    backend.write(buffer, 0, bytes);
    const back = await backend.read(buffer, 0, length);
    const sync = backend.readSync?.(buffer, 0, length);
    backend.free(buffer);
    if (!sameBytes(back, bytes)) throw new Mismatch(`read gave other bytes than were written, for ${length} elements`);
    if (sync && !sameBytes(sync, bytes)) throw new Mismatch(`readSync gave other bytes than were written, for ${length} elements`);
  }
}

/** Writing and reading a part leaves the rest alone. */
async function parts(subject: Subject, dtype: DType): Promise<void> {
  needs(subject, dtype);
  const { backend } = subject.device;
  const { size } = DTYPE_INFO[dtype];
  const buffer = backend.allocate(dtype, 23);
  const expected = sample(dtype, 23);
  backend.write(buffer, 0, expected);
  for (const [at, length] of [
    [5, 3],
    [22, 1],
    [0, 1],
    [9, 7],
  ]) {
    const bytes = sample(dtype, 23).slice((at + 1) % 7 === 0 ? 0 : size, size * (length + ((at + 1) % 7 === 0 ? 0 : 1)));
    backend.write(buffer, at, bytes);
    expected.set(bytes, at * size);
  }
  const whole = await backend.read(buffer, 0, 23);
  const middle = await backend.read(buffer, 6, 5);
  backend.free(buffer);
  if (!sameBytes(whole, expected)) throw new Mismatch('a part that was written is not where it should be');
  if (!sameBytes(middle, expected.slice(6 * size, 11 * size))) throw new Mismatch('a part that was read is not what is there');
}

/** Buffers and bytes go up with each `allocate` and down with each `free`; the peak stays. */
function account({ device: { backend } }: Subject): void {
  const before = backend.memory();
  const buffers = [backend.allocate('float32', 1000), backend.allocate('int32', 10), backend.allocate('uint8', 7)];
  const during = backend.memory();
  if (during.buffers !== before.buffers + 3)
    throw new Mismatch(`three allocations moved the number of buffers from ${before.buffers} to ${during.buffers}`);
  if (during.bytes < before.bytes + 4047) throw new Mismatch(`4047 bytes moved the account from ${before.bytes} to ${during.bytes}`);
  if (during.peakBytes < during.bytes) throw new Mismatch(`the peak ${during.peakBytes} is below what is live, ${during.bytes}`);
  buffers.forEach((buffer) => backend.free(buffer));
  const after = backend.memory();
  if (after.buffers !== before.buffers || after.bytes !== before.bytes)
    throw new Mismatch(
      `after free there are ${after.buffers} buffers and ${after.bytes} bytes; before there were ${before.buffers} and ${before.bytes}`,
    );
}

/** No two live buffers share memory. */
async function distinct({ device: { backend } }: Subject): Promise<void> {
  const lengths = [1, 3, 64, 3, 1, 1000, 64];
  const buffers = lengths.map((length) => backend.allocate('int32', length));
  buffers.forEach((buffer, i) => backend.write(buffer, 0, toBytes(new Array<number>(lengths[i]).fill(i + 1), 'int32')));
  const contents = await Promise.all(buffers.map((buffer, i) => backend.read(buffer, 0, lengths[i])));
  buffers.forEach((buffer) => backend.free(buffer));
  contents.forEach((bytes, i) => {
    if (!sameBytes(bytes, toBytes(new Array<number>(lengths[i]).fill(i + 1), 'int32'))) throw new Mismatch('two live buffers share memory');
  });
}

/** Memory that was freed comes again in other sizes and dtypes, and what is live keeps its contents. */
async function reuse({ device: { backend } }: Subject): Promise<void> {
  const kept = backend.allocate('float32', 33);
  backend.write(kept, 0, sample('float32', 33));
  const before = backend.memory();
  for (let round = 0; round < 50; round++) {
    const dtype = REQUIRED[round % REQUIRED.length];
    const length = 1 + ((round * 37) % 300);
    const buffer = backend.allocate(dtype, length);
    backend.write(buffer, 0, sample(dtype, length));
    const back = await backend.read(buffer, 0, length);
    backend.free(buffer);
    if (!sameBytes(back, sample(dtype, length))) throw new Mismatch(`a buffer of ${length} ${dtype} gave other bytes than were written`);
  }
  const bytes = await backend.read(kept, 0, 33);
  const after = backend.memory();
  backend.free(kept);
  if (!sameBytes(bytes, sample('float32', 33))) throw new Mismatch('a live buffer changed while others came and went');
  if (after.buffers !== before.buffers || after.bytes !== before.bytes)
    throw new Mismatch(`the account moved from ${before.bytes} to ${after.bytes} bytes over allocations that were all freed`);
}

/** The host may change its bytes after `write`. */
async function writeCopies({ device: { backend } }: Subject): Promise<void> {
  const buffer = backend.allocate('int32', 4);
  const bytes = toBytes([1, 2, 3, 4], 'int32');
  backend.write(buffer, 0, bytes);
  bytes.fill(0xff);
  const back = await backend.read(buffer, 0, 4);
  backend.free(buffer);
  if (!sameBytes(back, toBytes([1, 2, 3, 4], 'int32'))) throw new Mismatch('write kept the host’s array instead of copying it');
}

/** The host's bytes may be a window on a larger array, at any of its bytes: a file's tensors are. */
async function writePartOfArray({ device: { backend } }: Subject): Promise<void> {
  for (const at of [4, 3]) {
    const file = new Uint8Array(32).fill(0xee);
    file.set(toBytes([1, 2, 3, 4], 'int32'), at);
    const buffer = backend.allocate('int32', 4);
    backend.write(buffer, 0, file.subarray(at, at + 16));
    const back = await backend.read(buffer, 0, 4);
    backend.free(buffer);
    if (!sameBytes(back, toBytes([1, 2, 3, 4], 'int32')))
      throw new Mismatch(`write went past the window that it was given, which begins at byte ${at} of its ArrayBuffer (byteOffset)`);
  }
}

/** What `read` gives is the caller's: changing it changes no buffer, and a later write changes nothing in it. */
async function readIsOwned({ device: { backend } }: Subject): Promise<void> {
  const buffer = backend.allocate('int32', 4);
  backend.write(buffer, 0, toBytes([1, 2, 3, 4], 'int32'));
  const first = await backend.read(buffer, 0, 4);
  backend.write(buffer, 0, toBytes([5, 6, 7, 8], 'int32'));
  const kept = sameBytes(first, toBytes([1, 2, 3, 4], 'int32'));
  first.fill(0xff);
  const second = await backend.read(buffer, 0, 4);
  const untouched = first.every((x) => x === 0xff);
  const [a, b] = await Promise.all([backend.read(buffer, 0, 2), backend.read(buffer, 2, 2)]);
  backend.free(buffer);
  if (!untouched) throw new Mismatch('a later read wrote into what an earlier one gave');
  if (!sameBytes(a, toBytes([5, 6], 'int32')) || !sameBytes(b, toBytes([7, 8], 'int32')))
    throw new Mismatch('two reads at once gave each other’s bytes');
  if (!kept || !sameBytes(second, toBytes([5, 6, 7, 8], 'int32'))) throw new Mismatch('read gave a window on the buffer instead of a copy');
}

/** Memory that nobody has is refused with a code, and the account is as before. */
function tooLarge({ device: { backend } }: Subject): void {
  const before = backend.memory();
  try {
    backend.free(backend.allocate('float32', 2 ** 46));
  } catch (error) {
    if (!isTesseraError(error)) throw new Mismatch('an allocation that is too large has no code', 'ERR_OUT_OF_MEMORY', String(error));
    if (error.code !== 'ERR_OUT_OF_MEMORY' && error.code !== 'ERR_BUFFER_SIZE')
      throw new Mismatch('an allocation that is too large has another code', 'ERR_OUT_OF_MEMORY', error.code);
    const after = backend.memory();
    if (after.buffers !== before.buffers || after.bytes !== before.bytes)
      throw new Mismatch('an allocation that failed stayed on the account');
    return;
  }
  throw new Mismatch('2^48 bytes were allocated');
}

/** After `synchronize` all kernels have taken effect. */
async function synchronized(bench: Bench, { device: { backend } }: Subject): Promise<void> {
  const a = bench.input({ dtype: 'float32', shape: [1, 64, 64], data: new Array<number>(4096).fill(1) });
  const out = bench.output('float32', [1, 64, 64]);
  bench.kernels.matmul(a, a, out);
  await backend.synchronize();
  const { data } = await bench.result(out);
  if (!data.every((x) => x === 64)) throw new Mismatch('a product is not there after synchronize');
}

/** `read` gives what all kernels before it made, with no `synchronize` between. */
async function readsAfterKernels(bench: Bench): Promise<void> {
  const x = bench.input({ dtype: 'float32', shape: [1, 128, 128], data: new Array<number>(128 * 128).fill(1) });
  let from = x;
  for (let i = 0; i < 3; i++) {
    const out = bench.output('float32', [1, 128, 128]);
    bench.kernels.matmul(from, x, out);
    from = out;
  }
  const { data } = await bench.result(from);
  const wrong = data.find((v) => v !== 128 ** 3);
  if (wrong !== undefined) throw new Mismatch('a read overtook the kernels before it', String(128 ** 3), String(wrong));
}

/** What is written after a kernel was called is not what that kernel reads, and a write comes before the kernels after it. */
async function writesInOrder(bench: Bench, { device: { backend } }: Subject): Promise<void> {
  const copy = identityProgram('int32');
  const x = bench.input({ dtype: 'int32', shape: [5], data: [1, 2, 3, 4, 5] });
  const outputs = [0, 1, 2].map(() => bench.output('int32', [5]));
  outputs.forEach((out, i) => {
    bench.kernels.pointwise(copy, [], [x], [out]);
    backend.write(x.buffer, 0, toBytes(new Array<number>(5).fill(10 * (i + 1)), 'int32'));
  });
  const got = await Promise.all(outputs.map(async (out) => String((await bench.result(out)).data)));
  const expected = ['1,2,3,4,5', '10,10,10,10,10', '20,20,20,20,20'];
  if (String(got) !== String(expected)) throw new Mismatch('writes and kernels changed places', expected.join('; '), got.join('; '));
}

/** A buffer may be freed as soon as the last kernel that reads it was called; memory that takes its place is no part of that kernel. */
async function freesInOrder(bench: Bench, { device: { backend } }: Subject): Promise<void> {
  const copy = identityProgram('int32');
  const outputs = [];
  for (let i = 0; i < 8; i++) {
    const buffer = backend.allocate('int32', 100);
    backend.write(buffer, 0, toBytes(new Array<number>(100).fill(i), 'int32'));
    const out = bench.output('int32', [100]);
    bench.kernels.pointwise(copy, [], [{ buffer, dtype: 'int32', shape: [100], strides: [1], offset: 0 }], [out]);
    backend.free(buffer);
    outputs.push(out);
  }
  for (const [i, out] of outputs.entries()) {
    const { data } = await bench.result(out);
    const wrong = data.find((x) => x !== i);
    if (wrong !== undefined) throw new Mismatch('a kernel read memory that was given to another buffer', String(i), String(wrong));
  }
}

/** After its end a backend answers every call with that, and a second end is none. */
async function disposed({ another, device }: Subject): Promise<void> {
  if (another === null) throw new Skip('scope', 'a backend that was handed in is ended by whoever made it');
  const backend = await another();
  if (backend === device.backend) throw new Skip('device', 'its create() gives the same backend each time');
  const buffer = backend.allocate('int32', 4);
  const view: View = { buffer, dtype: 'int32', shape: [4], strides: [1], offset: 0 };
  await backend.dispose();
  const calls: Readonly<Record<string, () => unknown>> = {
    allocate: () => backend.allocate('int32', 4),
    write: () => backend.write(buffer, 0, toBytes([1], 'int32')),
    read: () => backend.read(buffer, 0, 1),
    ...(backend.readSync && { readSync: () => backend.readSync?.(buffer, 0, 1) }),
    synchronize: () => backend.synchronize(),
    memory: () => backend.memory(),
    free: () => backend.free(buffer),
    pointwise: () => backend.kernels.pointwise(identityProgram('int32'), [], [view], [view]),
    scan: () => backend.kernels.scan('sum', false, view, view, 0),
  };
  for (const [name, call] of Object.entries(calls)) {
    const answer = await Promise.resolve()
      .then(call)
      .then(
        () => 'no error',
        (error: unknown) => (isTesseraError(error) ? error.code : String(error)),
      );
    if (answer !== 'ERR_BACKEND_DISPOSED') throw new Mismatch(`${name} after dispose()`, 'ERR_BACKEND_DISPOSED', answer);
  }
  await backend.dispose();
}
