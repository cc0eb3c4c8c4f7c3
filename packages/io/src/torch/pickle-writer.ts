/** @file Writing pickles of protocol 2, as torch.save does. */
import { FormatError } from '@tessera/core';

const utf8 = new TextEncoder();

/** A growing buffer with the opcodes that checkpoints need. */
export class PickleWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  constructor() {
    this.#u8(0x80, 2);
  }

  #room(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  #u8(...values: readonly number[]): void {
    const at = this.#room(values.length);
    for (let i = 0; i < values.length; i++) this.#bytes[at + i] = values[i]!;
  }

  #append(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  #u32(op: number, value: number): void {
    this.#u8(op);
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }

  none(): void {
    this.#u8(0x4e);
  }

  bool(value: boolean): void {
    this.#u8(value ? 0x88 : 0x89);
  }

  /** A whole number as an int, any other as a float. */
  number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) this.float(value);
    else if (value >= -(2 ** 31) && value < 2 ** 31) {
      this.#u8(0x4a);
      const at = this.#room(4);
      this.#view.setInt32(at, value, true);
    } else this.bigint(BigInt(value));
  }

  float(value: number): void {
    this.#u8(0x47);
    const at = this.#room(8);
    this.#view.setFloat64(at, value, false);
  }

  bigint(value: bigint): void {
    const bytes: number[] = [];
    for (let rest = value; ; rest >>= 8n) {
      bytes.push(Number(rest & 255n));
      const sign = bytes.at(-1)! >= 128;
      if ((rest >> 8n === 0n && !sign) || (rest >> 8n === -1n && sign)) break;
      if (bytes.length > 255) throw new FormatError('ERR_TORCH_VALUE', 'a bigint of more than 255 bytes');
    }
    this.#u8(0x8a, bytes.length, ...bytes);
  }

  text(value: string): void {
    const bytes = utf8.encode(value);
    this.#u32(0x58, bytes.length);
    this.#append(bytes);
  }

  global(module: string, name: string): void {
    this.#u8(0x63);
    const bytes = utf8.encode(`${module}\n${name}\n`);
    this.#append(bytes);
  }

  /** Opcodes without arguments: see the constants below. */
  op(code: number): void {
    this.#u8(code);
  }

  finish(): Uint8Array {
    this.#u8(0x2e);
    return this.#bytes.slice(0, this.#length);
  }
}

export const MARK = 0x28;
export const EMPTY_DICT = 0x7d;
export const EMPTY_LIST = 0x5d;
export const EMPTY_TUPLE = 0x29;
export const TUPLE = 0x74;
export const APPENDS = 0x65;
export const SETITEMS = 0x75;
export const REDUCE = 0x52;
export const BINPERSID = 0x51;
export const TUPLE1 = 0x85;
export const TUPLE2 = 0x86;
