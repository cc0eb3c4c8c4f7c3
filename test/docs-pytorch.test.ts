/** @file docs/pytorch.md says what the code has. `npm run docs:pytorch` writes it anew. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as tessera from '../packages/tessera/src/index.js';
import { camelCase, type Place, type Places, pytorchTable, type Surface } from '../scripts/pytorch-table/table.js';

const surface = JSON.parse(readFileSync(join(import.meta.dirname, '../conformance-tests/reference/surface.json'), 'utf8')) as Surface;

/** Fields that every instance has count as well as its methods. */
const instance = (object: object): object => Object.create(object, Object.getOwnPropertyDescriptors(object)) as object;

function places(): Places {
  const { nn, optim, autograd, Tensor } = tessera;
  const place = (prefix: string, object: object): Place => ({ prefix, object });
  return {
    torch: place('', tessera),
    tensor: place('.', tessera.zeros([]) satisfies InstanceType<typeof Tensor>),
    linalg: place('linalg.', tessera.linalg),
    special: place('special.', tessera.special),
    nn: place('nn.', nn),
    F: place('F.', nn.F),
    init: place('nn.init.', nn.init),
    utils: place('nn.utils.', nn.utils),
    rnn: place('nn.utils.rnn.', nn.utils.rnn),
    parametrizations: place('nn.utils.parametrizations.', nn.utils.parametrizations),
    parametrize: place('nn.utils.parametrize.', nn.utils.parametrize),
    prune: place('nn.utils.prune.', nn.utils.prune),
    module: place('.', new nn.Identity()),
    optim: place('optim.', optim),
    optimizer: place('.', instance(optim.Optimizer.prototype)),
    lrScheduler: place('optim.lrScheduler.', optim.lrScheduler),
    data: place('data.', tessera.data),
    autograd: place('autograd.', autograd),
    autogradFunction: place('.', autograd.Function),
    functionContext: place('ctx.', autograd.FunctionContext.prototype),
    swaUtils: place('optim.swaUtils.', optim.swaUtils),
    functional: place('autograd.functional.', (autograd as { readonly functional?: object }).functional ?? autograd),
    func: place('func.', tessera.func),
  };
}

it('docs/pytorch.md is up to date (else: npm run docs:pytorch)', async () => {
  await expect(pytorchTable(surface, places())).toMatchFileSnapshot('../docs/pytorch.md');
});

it('PyTorch’s names in camelCase', () => {
  expect(['zero_grad', 'conv1d', 'relu_', '_u', 'log_softmax', 'max_pool2d_with_indices'].map(camelCase)).toEqual([
    'zeroGrad',
    'conv1d',
    'relu_',
    '_u',
    'logSoftmax',
    'maxPool2dWithIndices',
  ]);
});
