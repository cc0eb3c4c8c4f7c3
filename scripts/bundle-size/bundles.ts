/** @file What is measured: small programs, each bundled as an application would do it, and the most that it may weigh. */

export interface Bundle {
  readonly name: string;
  readonly program: string;
  /** What it prints in Node, as Node shows it; without it, it is not run. */
  readonly prints?: string;
  /** Bytes after gzip of all that it may load, chunks that are fetched later included. A few percent above what it was when this was written. */
  readonly limit: number;
}

const cnn = `
class CNN extends nn.Module {
  conv1 = new nn.Conv2d(1, 16, 3, { stride: 1, padding: 1 });
  relu = new nn.ReLU();
  pool = new nn.MaxPool2d(2, { stride: 2 });
  conv2 = new nn.Conv2d(16, 32, 3, { stride: 1, padding: 1 });
  fc = new nn.Linear(32 * 7 * 7, 10);
  forward(x) {
    x = this.pool(this.relu(this.conv1(x)));
    x = this.pool(this.relu(this.conv2(x)));
    return this.fc(x.view(-1, 32 * 7 * 7));
  }
}
const model = new CNN();
const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
F.crossEntropy(model(rand(4, 1, 28, 28)), randint(10, [4])).backward();
optimizer.step();`;

/** What programs say when they are run: `console.log` of one thing. */
const oneOp = (plugin: string, id: string): string => `
import { add, init, tensor, ${plugin} } from 'tessera/functional';
await init({ plugins: [${plugin}], device: '${id}' });
console.log(await add(tensor([1, 2]), 1).toArrayAsync());`;

const smallCnn = (plugin: string): string => `
await init({ plugins: [${plugin}], device: 'wasm' });
const x = maxPool2d(relu(conv2d(rand(1, 1, 28, 28), rand(16, 1, 3, 3), rand(16), { padding: 1 })), 2);
const [row] = await softmax(linear(flatten(x, 1), rand(10, 16 * 14 * 14), rand(10)), 1).toArrayAsync();
console.log(row.length);`;
const cnnOps = 'conv2d, flatten, init, linear, maxPool2d, rand, relu, softmax';

export const BUNDLES: readonly Bundle[] = [
  { name: 'one op, functional, cpu', program: oneOp('plainCpuPlugin', 'cpu'), prints: '[ 2, 3 ]', limit: 40_000 },
  { name: 'one op, functional, cpu with accelerated kernels', program: oneOp('cpuPlugin', 'cpu'), prints: '[ 2, 3 ]', limit: 48_000 },
  {
    name: 'one op, functional, wasm',
    program: `
import { add, init, tensor } from 'tessera/functional';
import { wasmPluginOf } from 'tessera/wasm';
await init({ plugins: [wasmPluginOf([])], device: 'wasm' });
console.log(await add(tensor([1, 2]), 1).toArrayAsync());`,
    prints: '[ 2, 3 ]',
    limit: 45_000,
  },
  {
    name: 'a product and a bias, functional, wasm',
    program: `
import { init, linear, tensor } from 'tessera/functional';
import { products, wasmPluginOf } from 'tessera/wasm';
await init({ plugins: [wasmPluginOf([products])], device: 'wasm' });
console.log(await linear(tensor([[1, 2]]), tensor([[3, 4]]), tensor([5])).toArrayAsync());`,
    prints: '[ [ 16 ] ]',
    limit: 52_000,
  },
  { name: 'one op, functional, wasm with all parts', program: oneOp('wasmPlugin', 'wasm'), prints: '[ 2, 3 ]', limit: 96_000 },
  { name: 'one op, functional, webgpu', program: oneOp('webgpuPlugin', 'webgpu'), limit: 76_000 },
  {
    name: 'inference of a CNN, functional, wasm',
    program: `
import { ${cnnOps} } from 'tessera/functional';
import { convolutions, pooling, products, rows, wasmPluginOf } from 'tessera/wasm';${smallCnn('wasmPluginOf([convolutions, pooling, products, rows])')}`,
    prints: '10',
    limit: 86_000,
  },
  {
    name: 'inference of a CNN, functional, wasm with all parts',
    program: `
import { ${cnnOps}, wasmPlugin } from 'tessera/functional';${smallCnn('wasmPlugin')}`,
    prints: '10',
    limit: 114_000,
  },
  {
    name: 'one op, all methods, cpu',
    program: `import { tensor } from '@tessera/core'; import { runtimes } from '@tessera/core'; import { cpuPlugin } from '@tessera/backend-cpu';
runtimes.current.use(cpuPlugin); console.log(tensor([1, 2]).add(1).toArray());`,
    limit: 187_000,
  },
  {
    name: 'training the CNN of the README, cpu',
    program: `import { rand, randint, runtimes } from '@tessera/core'; import { cpuPlugin } from '@tessera/backend-cpu';
import * as nn from '@tessera/layers'; import { F } from '@tessera/layers'; import { Adam } from '@tessera/optim';
runtimes.current.use(cpuPlugin); const optim = { Adam };${cnn}`,
    limit: 214_000,
  },
  {
    name: 'training the CNN of the README, `tessera`',
    program: `import { F, init, nn, optim, rand, randint } from 'tessera';\nawait init({ device: 'auto' });${cnn}`,
    limit: 398_000,
  },
  { name: 'everything', program: `import * as tessera from 'tessera';\nconsole.log(tessera);`, limit: 432_000 },
];
