/** @file A module as text, one instruction a line, in the names of WebAssembly's text format. For debugging. */
import { specName, TABLES } from './families.js';
import type { Form } from './instruction.js';
import { TYPE_NAME } from './value-types.js';

interface Known {
  readonly name: string;
  readonly form: Form | 'index' | 'block' | 'table' | 'indirect' | 'bytes';
  /** Of `bytes`: how many immediates to read as numbers. */
  readonly count?: number;
}

const known = new Map<number, Known>();
for (const [family, table] of Object.entries(TABLES)) {
  for (const [name, { code, form }] of Object.entries(table)) known.set(code, { name: specName(family, name), form });
}
for (const [code, name] of [
  [0x00, 'unreachable'],
  [0x01, 'nop'],
  [0x05, 'else'],
  [0x0b, 'end'],
  [0x0f, 'return'],
  [0x1a, 'drop'],
  [0x1b, 'select'],
] as const)
  known.set(code, { name, form: 'plain' });
for (const [code, name] of [
  [0x0c, 'br'],
  [0x0d, 'br_if'],
  [0x10, 'call'],
  [0x20, 'local.get'],
  [0x21, 'local.set'],
  [0x22, 'local.tee'],
  [0x23, 'global.get'],
  [0x24, 'global.set'],
] as const)
  known.set(code, { name, form: 'index' });
for (const [code, name] of [
  [0x02, 'block'],
  [0x03, 'loop'],
  [0x04, 'if'],
] as const)
  known.set(code, { name, form: 'block' });
known.set(0x0e, { name: 'br_table', form: 'table' });
known.set(0x11, { name: 'call_indirect', form: 'indirect' });
for (const [code, name, count] of [
  [0x3f, 'memory.size', 1],
  [0x40, 'memory.grow', 1],
  [0xfc008, 'memory.init', 2],
  [0xfc009, 'data.drop', 1],
  [0xfc00a, 'memory.copy', 2],
  [0xfc00b, 'memory.fill', 1],
  [0xfe003, 'atomic.fence', 1],
] as const)
  known.set(code, { name, form: 'bytes', count });

class Reader {
  at = 0;
  constructor(readonly bytes: Uint8Array) {}

  byte(): number {
    return this.bytes[this.at++];
  }

  u32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  signed(): bigint {
    let value = 0n;
    for (let shift = 0n; ;) {
      const byte = this.byte();
      value |= BigInt(byte & 127) << shift;
      shift += 7n;
      if (byte < 128) return BigInt.asIntN(64, byte & 64 ? value - (1n << shift) : value);
    }
  }

  float(size: 4 | 8): number {
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at, size);
    this.at += size;
    return size === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
  }

  take(count: number): Uint8Array {
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
}

/** One instruction as text; `indent` is the change of nesting before and after it. */
function instruction(reader: Reader): { text: string; before: number; after: number } {
  let code = reader.byte();
  if (code >= 0xfc && code <= 0xfe) code = code * 4096 + reader.u32();
  const found = known.get(code);
  if (found === undefined) throw new RangeError(`no instruction has the code 0x${code.toString(16)}`);
  const { name, form } = found;
  const plain = (text: string) => ({ text, before: 0, after: 0 });
  switch (form) {
    case 'plain':
      return { text: name, before: name === 'end' || name === 'else' ? -1 : 0, after: name === 'else' ? 1 : 0 };
    case 'index':
      return plain(`${name} ${reader.u32()}`);
    case 'block': {
      const type = TYPE_NAME.get(reader.byte());
      return { text: type === 'void' ? name : `${name} (result ${type})`, before: 0, after: 1 };
    }
    case 'table':
      return plain(`${name} ${Array.from({ length: reader.u32() + 1 }, () => reader.u32()).join(' ')}`);
    case 'indirect': {
      const type = reader.u32();
      return plain(`${name} (type ${type}) (table ${reader.u32()})`);
    }
    case 'bytes':
      return plain([name, ...Array.from({ length: found.count! }, () => reader.u32())].join(' '));
    case 'lane':
      return plain(`${name} ${reader.byte()}`);
    case 'shuffle':
      return plain(`${name} ${[...reader.take(16)].join(' ')}`);
    case 'const': {
      if (name === 'v128.const') return plain(`${name} ${[...reader.take(16)].map((b) => b.toString(16).padStart(2, '0')).join(' ')}`);
      return plain(`${name} ${name.startsWith('i') ? reader.signed() : reader.float(name.startsWith('f32') ? 4 : 8)}`);
    }
    default: {
      const align = 2 ** reader.u32();
      const offset = reader.u32();
      return plain(`${name} offset=${offset} align=${align}${form === 'memoryLane' ? ` lane=${reader.byte()}` : ''}`);
    }
  }
}

/**
 * The functions of a module as text.
 *
 * @throws RangeError on an instruction that no table has.
 */
export function disassemble(module: Uint8Array): string {
  const reader = new Reader(module);
  reader.at = 8;
  const lines: string[] = [];
  while (reader.at < module.length) {
    const id = reader.byte();
    const end = reader.u32() + reader.at;
    if (id === 10) {
      const count = reader.u32();
      for (let n = 0; n < count; n++) {
        const stop = reader.u32() + reader.at;
        const locals: string[] = [];
        for (let runs = reader.u32(); runs > 0; runs--) {
          const repeat = reader.u32();
          locals.push(`${repeat} ${TYPE_NAME.get(reader.byte())}`);
        }
        lines.push(`func ${n}${locals.length > 0 ? ` (locals ${locals.join(', ')})` : ''}`);
        let depth = 1;
        while (reader.at < stop) {
          const { text, before, after } = instruction(reader);
          depth += before;
          lines.push('  '.repeat(Math.max(depth, 0)) + text);
          depth += after;
        }
      }
    }
    reader.at = end;
  }
  return lines.join('\n');
}
