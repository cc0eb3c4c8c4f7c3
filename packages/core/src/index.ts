/** @file The core of Tessera: tensors, autograd, modules and the kernel contract that backends implement. */
import * as core from './index.js';
import './plugin/container.js';
import './plugin/check-plugin.js';
import { Runtime } from './plugin/runtime.js';
import { Generator } from './random/generator.js';
import { generators } from './random/generators.js';
import './ops/methods.js';

export * from './public.js';
export * from './internals.js';

generators.make = () => new Generator();
Runtime.provideCore(core);
