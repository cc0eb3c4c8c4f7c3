/**
 * @file Mutated real files: each reader reads them or refuses them with a code. FUZZ_RUNS sets how many a reader gets (10^5 take some minutes):
 * FUZZ_RUNS=100000 npx vitest run packages/io/test/readers-fuzz.test.ts
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cpuPlugin } from '@tessera/backend-cpu';
import { isTesseraError, runtimes, scope } from '@tessera/core';
import fc from 'fast-check';
import { unzipSync, zipSync } from 'fflate';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadNpy, loadNpz, loadSafetensors, loadTorch, saveSafetensors } from '../src/index.js';

beforeAll(() => void runtimes.current.use(cpuPlugin));

const RUNS = Number(process.env.FUZZ_RUNS ?? 1000);
const fixtures = fileURLToPath(new URL('fixtures/', import.meta.url));
const file = (name: string): Uint8Array => new Uint8Array(readFileSync(fixtures + name));

/** A pickle inside its archive: mutated alone, since the archive's own bytes would catch most changes first. */
function withPickle(bytes: Uint8Array, change: (pickle: Uint8Array) => Uint8Array): Uint8Array {
  const entries = unzipSync(bytes);
  const name = Object.keys(entries).find((entry) => entry.endsWith('data.pkl'))!;
  return zipSync({ ...entries, [name]: change(entries[name]!) }, { level: 0 });
}

const edit = fc.record({ at: fc.nat(), drop: fc.nat(12), insert: fc.uint8Array({ maxLength: 12 }), flip: fc.boolean() });
const edits = fc.array(edit, { minLength: 1, maxLength: 4 });
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

function mutate(bytes: Uint8Array, changes: readonly Edit[]): Uint8Array {
  const out = [...bytes];
  for (const { at, drop, insert, flip } of changes) {
    if (flip && out.length > 0) out[at % out.length]! ^= 1 << (drop % 8);
    else out.splice(at % (out.length + 1), drop, ...insert);
  }
  return Uint8Array.from(out);
}

const torchFiles = ['torch/nested.pt', 'torch/dtypes.pt', 'torch/views.pt', 'torch/protocol4.pt'].map(file);
const tensorsFile = (): Uint8Array => saveSafetensors(loadNpz(file('numpy/all.npz'), { filter: (name) => name !== 'scalar' }));

const READERS: Record<string, { files: () => readonly Uint8Array[]; read: (bytes: Uint8Array) => unknown; change?: typeof mutate }> = {
  'PyTorch archives': { files: () => torchFiles, read: (bytes) => loadTorch(bytes, { maxBytes: 1e7 }) },
  'pickles in PyTorch archives': {
    files: () => torchFiles,
    read: (bytes) => loadTorch(bytes, { maxBytes: 1e7 }),
    change: (bytes, changes) => withPickle(bytes, (pickle) => mutate(pickle, changes)),
  },
  '.npy files': {
    files: () => [file('numpy/matrix.npy'), file('numpy/records.npy'), file('numpy/objects.npy')],
    read: (bytes) => loadNpy(bytes),
  },
  '.npz files': { files: () => [file('numpy/all.npz'), file('numpy/compressed.npz')], read: (bytes) => loadNpz(bytes, { maxBytes: 1e7 }) },
  'safetensors files': { files: () => [tensorsFile()], read: (bytes) => loadSafetensors(bytes) },
};

describe('mutated files', { timeout: 3_600_000 }, () => {
  it.each(Object.entries(READERS))('%s are read, or refused with a code', (_, { files, read, change = mutate }) => {
    const originals = files();
    const codes = new Map<string, number>();
    let slowest = 0;
    fc.assert(
      fc.property(fc.nat(originals.length - 1), edits, (which, changes) => {
        const bytes = change(originals[which]!, changes);
        const start = performance.now();
        let code = 'read';
        try {
          scope(() => void read(bytes));
        } catch (error) {
          if (!isTesseraError(error)) throw error;
          ({ code } = error);
        }
        slowest = Math.max(slowest, performance.now() - start);
        codes.set(code, (codes.get(code) ?? 0) + 1);
      }),
      { numRuns: RUNS },
    );
    // Both happen, or the mutations were too tame or too wild; and nothing hangs.
    expect(codes.get('read') ?? 0).toBeGreaterThan(0);
    expect(codes.size).toBeGreaterThan(2);
    expect(slowest).toBeLessThan(10_000);
  });

  it('random bytes are refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const read of [loadTorch, loadNpy, loadNpz, loadSafetensors]) {
          try {
            read(bytes);
          } catch (error) {
            expect(isTesseraError(error)).toBe(true);
          }
        }
      }),
      { numRuns: RUNS },
    );
  });
});
