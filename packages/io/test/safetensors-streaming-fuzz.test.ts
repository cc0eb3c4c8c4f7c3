/**
 * @file Mutated files and indexes: reading piece by piece gives what reading at once gives, or refuses what that refuses. FUZZ_RUNS sets how many:
 * FUZZ_RUNS=100000 npx vitest run packages/io/test/safetensors-streaming-fuzz.test.ts
 */
import { cpuPlugin } from '@tessera/backend-cpu';
import { arange, isTesseraError, runtimes, tensor, type Tensor } from '@tessera/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ByteSource,
  loadSafetensors,
  openSafetensors,
  openSafetensorsShards,
  saveSafetensors,
  shardSafetensors,
  streamSafetensors,
} from '../src/index.js';

runtimes.current.use(cpuPlugin);
const RUNS = Number(process.env.FUZZ_RUNS ?? 1000);

const state = {
  a: arange(6).view(2, 3),
  b: tensor([0.5, 2], { dtype: 'float16' }),
  n: tensor(3, { dtype: 'int32' }),
  m: tensor([true, false]),
};
const original = saveSafetensors(state, { metadata: { format: 'pt' } });

const edit = fc.record({ at: fc.nat(), drop: fc.nat(12), insert: fc.uint8Array({ maxLength: 12 }), flip: fc.boolean() });
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

function mutate(bytes: Uint8Array, changes: readonly Edit[]): Uint8Array {
  const out = [...bytes];
  for (const { at, drop, insert, flip } of changes) {
    if (flip && out.length > 0) out[at % out.length]! ^= 1 << (drop % 8);
    else out.splice(at % (out.length + 1), drop, ...insert);
  }
  return Uint8Array.from(out);
}

const sourceOf = (bytes: Uint8Array): ByteSource => ({ size: bytes.length, read: async (at, length) => bytes.slice(at, at + length) });

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Names, dtypes, shapes and elements; or 'refused'. An error without a code is none that a file may cause. */
async function outcome(read: () => AsyncIterable<readonly [string, Tensor]> | Iterable<readonly [string, Tensor]>): Promise<string> {
  const found: [string, unknown][] = [];
  try {
    for await (const [name, t] of read()) {
      found.push([name, [t.dtype, t.shape, [...t.bytes()]]]);
      t.dispose();
    }
  } catch (error) {
    if (isTesseraError(error)) return 'refused';
    throw error;
  }
  return JSON.stringify(found.toSorted(([x], [y]) => (x < y ? -1 : 1)));
}

describe('mutated files', { timeout: 3_600_000 }, () => {
  it('are the same read at once, one tensor at a time, and from a stream', async () => {
    const outcomes = new Map<boolean, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 99 }), async (changes, size) => {
        const bytes = mutate(original, changes);
        const expected = await outcome(() => loadSafetensors(bytes));
        outcomes.set(expected === 'refused', (outcomes.get(expected === 'refused') ?? 0) + 1);
        expect(await outcome(() => streamSafetensors(pieces(bytes, size)))).toBe(expected);
        expect(
          await outcome(async function* () {
            yield* await openSafetensors(sourceOf(bytes));
          }),
        ).toBe(expected);
      }),
      { numRuns: RUNS },
    );
    // Both happen, or the mutations were too tame or too wild.
    expect(outcomes.size).toBe(2);
  });

  it('and mutated indexes never open another file, nor give other tensors', async () => {
    const { files, index } = shardSafetensors(state, { maxShardSize: 20 });
    const whole = await outcome(() => loadSafetensors(original));
    const shards = new Map([...files].map(([name, part]) => [name, saveSafetensors(part)]));
    let opened = 0;
    const open = async (file: string): Promise<ByteSource> => {
      expect(file).toMatch(/^[^/\\:]*\.safetensors$/);
      const bytes = shards.get(file);
      if (bytes === undefined) throw Object.assign(new Error(file), { code: 'ENOENT' });
      opened++;
      return sourceOf(bytes);
    };
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (changes) => {
        const text = mutate(new TextEncoder().encode(index!), changes);
        const found = await outcome(async function* () {
          yield* await openSafetensorsShards(text, open);
        });
        if (found !== 'refused') expect(found).toBe(whole);
      }),
      { numRuns: RUNS },
    );
    expect(opened).toBeGreaterThan(0);
  });
});
