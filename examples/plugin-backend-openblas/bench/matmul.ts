/** @file matmul 1024 on one thread, beside the same library called on NumPy's arrays: `npm run bench -- PYTHON`, a python with NumPy. */
import { execFileSync } from 'node:child_process';
import * as core from '@tessera/core';
import { noGrad, randn, Runtime, withRuntime } from '@tessera/core';
import { openBlasPlugin } from '../src/index.js';

const SIZE = 1024;
const ROUNDS = 6;

const PYTHON = `
import ctypes, os, time, numpy as np
blas = ctypes.CDLL(os.environ.get('OPENBLAS_LIBRARY', 'libopenblas.so.0'))
blas.openblas_set_num_threads(1)
n = ${SIZE}
a, b, c = (np.random.rand(n, n).astype(np.float32) for _ in range(3))
p = lambda x: x.ctypes.data_as(ctypes.c_void_p)
f = ctypes.c_float
best = 1e9
for _ in range(8):
    t = time.perf_counter()
    blas.cblas_sgemm(101, 111, 111, n, n, n, f(1), p(a), n, p(b), n, f(0), p(c), n)
    best = min(best, time.perf_counter() - t)
assert np.allclose(c, a @ b, rtol=1e-4)
print(best * 1000)
`;

const runtime = new Runtime(core).use(openBlasPlugin);
const device = await runtime.init({ device: 'openblas', backendOptions: { openblas: { threads: 1 } } });
const ours = (): number =>
  withRuntime(runtime, () =>
    noGrad(() => {
      const [a, b] = [randn(SIZE, SIZE, { device }), randn(SIZE, SIZE, { device })];
      let best = Infinity;
      for (let i = 0; i < 8; i++) {
        const start = performance.now();
        a.matmul(b).dispose();
        best = Math.min(best, performance.now() - start);
      }
      return best;
    }),
  );
const python = process.argv[2] ?? 'python3';
let [mine, theirs] = [Infinity, Infinity];
// In turns, so that both see the same machine.
for (let round = 0; round < ROUNDS; round++) {
  mine = Math.min(mine, ours());
  theirs = Math.min(theirs, Number(execFileSync(python, ['-c', PYTHON], { encoding: 'utf8' })));
}
const speed = (ms: number): string => `${ms.toFixed(1)} ms, ${((2 * SIZE ** 3) / ms / 1e6).toFixed(1)} GFLOP/s`;
console.log(
  `tessera, openblas: ${speed(mine)}\nNumPy's arrays, the same library: ${speed(theirs)}\n${((100 * theirs) / mine).toFixed(0)} %`,
);
