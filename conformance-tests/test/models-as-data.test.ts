import { cpuPlugin } from '@tessera/backend-cpu';
import type { Module } from '@tessera/core';
import { fromConfig, toConfig } from '@tessera/layers';
import { describe, expect, it } from 'vitest';
import { Skip } from '../src/check/skip.js';
import { decodeModuleCase, shippedFixtures } from '../src/fixtures/index.js';
import { constructModule } from '../src/modules/construct.js';
import { makeArguments } from '../src/ops/arguments.js';
import { withSubject } from '../src/subject/start.js';

/** What no document can hold, and why. */
const NO_DATA: Readonly<Record<string, string>> = {
  ParameterList: 'its tensors are state',
  ParameterDict: 'its tensors are state',
};

describe('models as data: every layer of PyTorch’s samples, with its arguments', () => {
  it('comes back from its document, printing the same, with the same state', async () => {
    const fixtures = shippedFixtures();
    const done = new Map<string, number>();
    await withSubject({ plugin: cpuPlugin }, 'cpu', async (subject) => {
      for (const name of await fixtures.list('modules')) {
        if (name in NO_DATA) continue;
        const { manifest, tensors } = await fixtures.load('modules', name);
        for (const one of manifest.cases) {
          const decoded = decodeModuleCase(one, tensors);
          let module: Module;
          try {
            const { args, kwargs } = makeArguments(decoded.ctor, subject);
            module = constructModule(subject.library, name, args, kwargs) as unknown as Module;
          } catch (error) {
            if (error instanceof Skip) continue;
            throw error;
          }
          const document = JSON.parse(JSON.stringify(toConfig(module))) as unknown;
          const again = fromConfig(document);
          expect(again.toString(), one.id).toBe(module.toString());
          const shapes = (m: Module): string[] => [...m.stateDict()].map(([key, t]) => `${key} ${t.dtype} ${t.shape.join('x')}`);
          expect(shapes(again), one.id).toEqual(shapes(module));
          expect(toConfig(again), one.id).toEqual(document);
          done.set(name, (done.get(name) ?? 0) + 1);
        }
      }
    });
    expect(done.size).toBeGreaterThan(120);
  });
});
