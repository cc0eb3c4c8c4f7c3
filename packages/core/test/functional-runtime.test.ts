/** @file The runtime of programs that have the functional entry alone: this file imports nothing else of core. */
import { manualSeed, Runtime, runtimes } from '@tessera/core/functional';
import { expect, it } from 'vitest';

const TOKEN = Symbol('thing');
class Plain {
  readonly made = true;
}
class Asking {
  constructor(readonly plain: Plain) {}
}

it('a container has values, factories and classes by token, the last one first in line', () => {
  const { container } = new Runtime();
  expect(container.isRegistered(TOKEN)).toBe(false);
  container.register(TOKEN, { useValue: 1 });
  container.register(TOKEN, { useFactory: () => 2 });
  container.register(TOKEN, { useClass: Plain });
  expect(container.resolveAll(TOKEN)).toEqual([1, 2, new Plain()]);
  expect(container.resolve(TOKEN)).toBeInstanceOf(Plain);
  container.registerInstance('other', 3);
  container.register('alias', { useToken: 'other' });
  expect(container.resolve('alias')).toBe(3);
});

it('what only tsyringe can do says what to import', () => {
  const { container } = new Runtime();
  expect(() => container.register(TOKEN, { useClass: Asking })).toThrow(
    expect.objectContaining({ code: 'ERR_INJECTION', message: expect.stringContaining('import @tessera/core') }),
  );
  expect(() => container.resolve(TOKEN)).toThrow(expect.objectContaining({ code: 'ERR_INJECTION' }));
});

it('has random numbers once somebody asks for them by a function', () => {
  expect(() => runtimes.current.generator).toThrow(expect.objectContaining({ code: 'ERR_NO_GENERATOR' }));
  const generator = manualSeed(0);
  expect(runtimes.current.generator).toBe(generator);
});

it("with core's index, runtimes that are made afterwards have tsyringe's container", async () => {
  await import('@tessera/core');
  const { container } = new Runtime();
  container.register(Asking, { useFactory: (c) => new Asking(c.resolve(Plain)) });
  expect(container.createChildContainer().resolve(Asking).plain).toBeInstanceOf(Plain);
});
