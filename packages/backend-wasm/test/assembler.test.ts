/** The assembler: control, locals, functions, modules, and the disassembly. */
import { describe, expect, it } from 'vitest';
import {
  call,
  disassemble,
  f32,
  f32x4,
  type FunctionBuilder,
  i32,
  i64,
  type Local,
  memory,
  ModuleBuilder,
  select,
  v128,
} from '../src/assembler/index.js';

type Exports = Record<string, (...args: number[]) => number>;

function instantiate(module: ModuleBuilder, imports: WebAssembly.Imports = {}): Exports {
  const bytes = module.bytes();
  expect(WebAssembly.validate(bytes)).toBe(true);
  expect(disassemble(bytes)).toContain('func 0');
  return new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports as Exports;
}

describe('functions', () => {
  it('loops, conditions and jumps out of nested blocks', () => {
    const module = new ModuleBuilder();
    module.function(
      'collatz',
      { n: 'i32' },
      'i32',
      (f, { n }) => {
        const steps = f.local('i32');
        f.while(
          () => i32.ne(n, 1),
          () => {
            f.if(
              i32.and(n, 1),
              () => f.set(n, i32.add(i32.mul(n, 3), 1)),
              () => f.set(n, i32.shrU(n, 1)),
            );
            f.increment(steps, 1);
          },
        );
        f.return(steps);
      },
      { export: true },
    );
    module.function(
      'firstMultiple',
      { a: 'i32', b: 'i32' },
      'i32',
      (f, { a, b }) => {
        const i = f.local('i32');
        const j = f.local('i32');
        f.block((found) =>
          f.for(i, 1, 1000, 1, () =>
            f.for(j, 1, 1000, 1, () => {
              f.brIf(found, i32.eq(i32.mul(i, a), i32.mul(j, b)));
            }),
          ),
        );
        f.return(i32.mul(i, a));
      },
      { export: true },
    );
    const { collatz, firstMultiple } = instantiate(module);
    expect(collatz(27)).toBe(111);
    expect(firstMultiple(12, 18)).toBe(36);
  });

  it('jump tables, calls, select, globals, tee', () => {
    const module = new ModuleBuilder();
    const twice = module.importFunction('js', 'twice', ['i32'], 'i32');
    const counter = module.global('i32', 5);
    const pick = module.function('pick', { i: 'i32' }, 'i32', (f, { i }) => {
      f.block((other) =>
        f.block((one) =>
          f.block((zero) => {
            f.brTable(i, [zero, one], other);
          }),
        ),
      );
      f.return(select(i32.ltU(i, 2), i32.add(i, 100), i32.const(-1)));
    });
    module.function(
      'run',
      { i: 'i32' },
      'i32',
      (f, { i }) => {
        const t = f.local('i32');
        f.setGlobal(counter, i32.add(counter, 1));
        f.emit(t.tee(call(twice, i)));
        f.return(i32.add(i32.add(call(pick, i), t), counter));
      },
      { export: true },
    );
    const { run } = instantiate(module, { js: { twice: (x: number) => 2 * x } });
    expect([run(0), run(1), run(7)]).toEqual([100 + 0 + 6, 101 + 2 + 7, -1 + 14 + 8]);
  });

  it('tables of functions', () => {
    const module = new ModuleBuilder();
    const [double, square] = [
      module.function('double', { x: 'i32' }, 'i32', (f, { x }) => f.return(i32.add(x, x))),
      module.function('square', { x: 'i32' }, 'i32', (f, { x }) => f.return(i32.mul(x, x))),
    ];
    module.table(2);
    module.elements(0, [double, square]);
    module.function(
      'run',
      { which: 'i32', x: 'i32' },
      'i32',
      (f, { which, x }) => f.return(module.callIndirect(['i32'], 'i32', which, x)),
      {
        export: true,
      },
    );
    const { run } = instantiate(module);
    expect([run(0, 7), run(1, 7)]).toEqual([14, 49]);
  });

  it('bulk memory: copies that overlap, fills, passive data', () => {
    const module = new ModuleBuilder();
    module.importMemory('env', 'memory', { shared: false });
    const text = module.data(Uint8Array.of(1, 2, 3, 4));
    module.function(
      'run',
      {},
      'i32',
      (f) => {
        f.emit(memory.init(text, 0, 0, 4), memory.drop(text), memory.copy(1, 0, 4), memory.fill(100, 7, 3));
        f.emit(memory.grow(1));
        f.return(memory.size());
      },
      { export: true },
    );
    const heap = new WebAssembly.Memory({ initial: 1 });
    expect(instantiate(module, { env: { memory: heap } }).run()).toBe(2);
    expect([...new Uint8Array(heap.buffer, 0, 6)]).toEqual([1, 1, 2, 3, 4, 0]);
    expect([...new Uint8Array(heap.buffer, 99, 5)]).toEqual([0, 7, 7, 7, 0]);
  });
});

describe('what goes wrong while code is emitted', () => {
  const inFunction = (body: (f: FunctionBuilder, params: { a: Local<'i32'> }) => void) => () => {
    new ModuleBuilder().function('f', { a: 'i32' }, 'void', body);
  };
  const fault = expect.objectContaining({ code: 'ERR_ASSEMBLER' });

  it('an expression used twice, a local of another function, a wrong type', () => {
    expect(
      inFunction((f, { a }) => {
        const twice = i32.add(a, 1);
        f.set(a, i32.mul(twice, twice));
      }),
    ).toThrow(fault);
    const module = new ModuleBuilder();
    module.function('g', { x: 'i32' }, 'void', (_, { x }) => {
      expect(() => module.function('h', {}, 'void', (f) => f.set(f.local('i32'), x))).toThrow(fault);
    });
    expect(inFunction((f, { a }) => f.set(a, i64.const(1) as never))).toThrow(fault);
    expect(inFunction((f, { a }) => f.return(a))).toThrow(fault);
  });
});

describe('modules', () => {
  it('read as text', () => {
    const module = new ModuleBuilder();
    module.importMemory('env', 'memory', { shared: false });
    module.function('axpy', { p: 'i32', by: 'f32' }, 'void', (f, { p, by }) => {
      f.loop((again) => {
        f.emit(v128.store(p, f32x4.mul(f32x4.add(v128.load(p), 1), f32x4.splat(by)), 16));
        f.brIf(again, i32.ltU(p.tee(i32.add(p, -1)), 4294967295));
      });
      f.emit(f32.store(p, f32.sqrt(0.5)));
    });
    expect(disassemble(module.bytes())).toBe(
      [
        'func 0',
        '  loop',
        '    local.get 0',
        '    local.get 0',
        '    v128.load offset=0 align=4',
        '    v128.const 00 00 80 3f 00 00 80 3f 00 00 80 3f 00 00 80 3f',
        '    f32x4.add',
        '    local.get 1',
        '    f32x4.splat',
        '    f32x4.mul',
        '    v128.store offset=16 align=4',
        '    local.get 0',
        '    i32.const -1',
        '    i32.add',
        '    local.tee 0',
        '    i32.const -1',
        '    i32.lt_u',
        '    br_if 0',
        '  end',
        '  local.get 0',
        '  f32.const 0.5',
        '  f32.sqrt',
        '  f32.store offset=0 align=4',
        'end',
      ].join('\n'),
    );
  });

  it('are emitted at a speed that a first call does not feel', () => {
    const emit = (): number => {
      const start = performance.now();
      const module = new ModuleBuilder();
      module.importMemory('env', 'memory', { shared: false });
      module.function('f', { p: 'i32', q: 'i32' }, 'void', (f, { p, q }) => {
        for (let i = 0; i < 250; i++) f.emit(v128.store(p, f32x4.add(f32x4.mul(v128.load(q, 16 * i), 2), v128.load(p, 16 * i)), 16 * i));
      });
      module.bytes();
      return performance.now() - start;
    };
    // 2,000 instructions; the smallest of many, since other work may share the machine.
    expect(Math.min(...Array.from({ length: 50 }, emit))).toBeLessThan(2);
  });
});
