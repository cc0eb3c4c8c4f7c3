/** @file What someone who comes from PyTorch gets wrong in the first hour, without a compiler: each ends in a sentence with a code. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as functional from '../src/functional.js';
import * as torch from '../src/index.js';
import { autograd, data, F, init, io, nn, noGrad, ones, optim, randn, tensor, type Tensor, zeros } from '../src/index.js';

/** What no compiler has seen. */
// oxlint-disable-next-line typescript/no-explicit-any -- plain JavaScript is what this file is about
const js = (x: unknown): any => x;
const x = randn(4, 3);
const linear = new nn.Linear(3, 2);
const ints = (...values: number[]): Tensor => tensor(values, { dtype: 'int32' });

class InArray extends nn.Module {
  layers = [new nn.Linear(3, 2)];
  forward(input: Tensor): Tensor {
    return this.layers[0]!(input);
  }
}
class NoReturn extends nn.Module {
  fc = new nn.Linear(3, 2);
  forward(input: Tensor): void {
    this.fc(input);
  }
}

class Foward extends js(nn.Module) {
  foward(input: Tensor): Tensor {
    return input;
  }
}
class NotStatic extends autograd.Function {
  forward(_ctx: autograd.FunctionContext, input: Tensor): Tensor {
    return input;
  }
}
class NoBackward extends autograd.Function {
  static forward(_ctx: autograd.FunctionContext, input: Tensor): Tensor {
    return input.mul(2);
  }
}

type Slip = readonly [what: string, slip: () => unknown, code: string, says: string];
const families: Readonly<Record<string, readonly Slip[]>> = {
  'shapes and dtypes into layers': [
    ['a wrong last size', () => linear(randn(4, 5)), 'ERR_MATMUL_SHAPE', 'Linear(3, 2) takes inputs whose last size is 3'],
    ['float64', () => linear(x.to('float64')), 'ERR_DTYPE_MIX', 'got float64 and float32'],
    ['integers', () => linear(ones(4, 3, { dtype: 'int32' })), 'ERR_DTYPE_MIX', 'in Linear'],
    ['an array', () => linear(js([1, 2, 3])), 'ERR_ARGUMENT', 'not an array of 3'],
    ['nothing', () => js(linear)(), 'ERR_ARGUMENT', 'in Linear'],
    ['an image without channels', () => new nn.Conv2d(1, 2, 3)(randn(28, 28)), 'ERR_CONV_RANK', 'takes inputs of shape (N, 1, H, W)'],
    ['other channels', () => new nn.Conv2d(3, 2, 3)(randn(1, 1, 28, 28)), 'ERR_CONV_CHANNELS', 'to have 3 channels, but got 1'],
    ['a number', () => new nn.Conv2d(1, 2, 3)(js(3)), 'ERR_ARGUMENT', 'conv2d'],
    [
      'words as floats',
      () => new nn.Embedding(10, 3)(tensor([1, 2])),
      'ERR_INDEX_DTYPE',
      "embedding: Expected an integer dtype for index, but got float32: index.to('int32')",
    ],
    [
      'a word that is none',
      () => new nn.Embedding(10, 3)(ints(10)),
      'ERR_INDEX_RANGE',
      'embedding: index 10 is out of range for a dim of size 10',
    ],
    ['one sample in batch norm', () => new nn.BatchNorm1d(3)(randn(1, 3)), 'ERR_NORM_SIZE', 'more than 1 value'],
  ],
  'arguments of layers': [
    ['a size is missing', () => new (js(nn.Linear))(3), 'ERR_LAYER_OPTION', 'Linear: outFeatures must be a whole number, not undefined'],
    ['an object of them', () => new (js(nn.Linear))({ inFeatures: 3 }), 'ERR_LAYER_OPTION', 'inFeatures'],
    ['text', () => new (js(nn.Linear))('3', 4), 'ERR_LAYER_OPTION', "the text '3'"],
    ['no kernel', () => new (js(nn.Conv2d))(1, 2), 'ERR_LAYER_OPTION', 'Conv2d: kernelSize'],
    ['a kernel among the options', () => new nn.Conv2d(1, 2, js({ kernelSize: 3 })), 'ERR_LAYER_OPTION', 'Conv2d: kernelSize'],
    ['three sizes for two dims', () => new nn.Conv2d(1, 2, [3, 3, 3]), 'ERR_LAYER_OPTION', 'an array of 2'],
    ['pooling by nothing', () => new (js(nn.MaxPool2d))(), 'ERR_LAYER_OPTION', 'MaxPool2d: kernelSize'],
    ['a norm over nothing', () => new (js(nn.LayerNorm))(), 'ERR_LAYER_OPTION', 'LayerNorm: normalizedShape'],
    ['features of batch norm', () => new (js(nn.BatchNorm2d))(), 'ERR_LAYER_OPTION', 'BatchNorm2d: numFeatures'],
    ['a probability as text', () => new nn.Dropout(js('0.5')), 'ERR_OPTION', 'Dropout'],
    ['the input to the constructor', () => new (js(nn.MSELoss))(x, x), 'ERR_OPTION', 'this is a Tensor'],
  ],
  models: [
    ['no return', () => new NoReturn()(x), 'ERR_NO_OUTPUT', 'NoReturn: forward returned nothing'],
    [
      'no forward',
      () => new (js(class NoForward extends js(nn.Module) {}))()(x),
      'ERR_NO_FORWARD',
      'missing the required "forward" function',
    ],
    ['forward misspelt', () => new (js(Foward))()(x), 'ERR_NO_FORWARD', "Is it 'foward'?"],
    ['modules in an array', () => new nn.Sequential(js([linear, new nn.ReLU()])), 'ERR_MEMBER_TYPE', 'new nn.Sequential(a, b)'],
    ['a class in place of a layer', () => new nn.Sequential(linear, js(nn.ReLU)), 'ERR_MEMBER_TYPE', 'new nn.ReLU()'],
    ['a function in place of a layer', () => new nn.Sequential(linear, js(F.relu)), 'ERR_MEMBER_TYPE', 'a function'],
    ['a list that is spread', () => new (js(nn.ModuleList))(linear, linear), 'ERR_MEMBER_TYPE', 'go into one array'],
    ['an array as parameter', () => new nn.Parameter(js([1, 2])), 'ERR_MEMBER_TYPE', 'must be a Tensor'],
    ['a state that is not awaited', () => linear.loadStateDict(js(Promise.resolve({}))), 'ERR_STATE_DICT', 'await it'],
    ['a path in place of bytes', () => io.loadTorch(js('model.pt')), 'ERR_BYTES', "await readFile('model.pt')"],
    ['a path in place of bytes', () => io.loadSafetensors(js('model.safetensors')), 'ERR_BYTES', 'await readFile'],
    ['a model in place of its state', () => io.saveSafetensors(js(linear)), 'ERR_SAFETENSORS_TENSORS', 'model.stateDict()'],
    ['a summary of no input', () => js(nn.summary)(linear), 'ERR_INPUT_SIZE', 'such as [1, 3, 32, 32]'],
  ],
  losses: [
    ['classes as floats', () => F.crossEntropy(x, tensor([0, 1, 2, 0])), 'ERR_TARGET_SHAPE', "target.to('int32')"],
    ['one-hot rows as integers', () => F.crossEntropy(x, F.oneHot(ints(0, 1, 2, 0), 3)), 'ERR_TARGET_SHAPE', 'target.float()'],
    [
      'a column of classes',
      () => F.crossEntropy(x, zeros(4, 1, { dtype: 'int32' })),
      'ERR_TARGET_SHAPE',
      'Expected target size [4], got [4, 1]',
    ],
    ['a class that is none', () => F.crossEntropy(x, ints(0, 1, 2, 3)).item(), 'ERR_INDEX_RANGE', 'out of range'],
    ['an array', () => F.crossEntropy(x, js([0, 1, 2, 0])), 'ERR_ARGUMENT', "crossEntropy: argument 'target'"],
    ['logits as probabilities', () => F.binaryCrossEntropy(tensor([2]), tensor([1])), 'ERR_PROBABILITY', 'between 0 and 1'],
    ['(N, 1) and (N)', () => F.binaryCrossEntropyWithLogits(randn(4, 1), zeros(4)), 'ERR_TARGET_SHAPE', '[4, 1]'],
  ],
  gradients: [
    ['backward twice', () => [0, 1].reduce((loss) => (loss.backward(), loss), js(linear(x).sum())), 'ERR_GRAPH_FREED', 'retainGraph: true'],
    ['of many elements', () => linear(x).backward(), 'ERR_GRAD_NOT_SCALAR', '[4, 2]'],
    ['of nothing that is learnt', () => x.sum().backward(), 'ERR_NO_GRAD', 'does not require grad'],
    ['in place on a parameter', () => linear.weight.add_(1), 'ERR_INPLACE_LEAF', 'add_'],
    ['of integers', () => tensor([1], { dtype: 'int32', requiresGrad: true }), 'ERR_REQUIRES_GRAD_DTYPE', 'int32'],
    ['a function whose forward is not static', () => js(NotStatic).apply(x), 'ERR_FUNCTION_STATIC', 'NotStatic has no method forward'],
    [
      'a function without backward',
      () => js(NoBackward).apply(linear.weight).sum().backward(),
      'ERR_FUNCTION_STATIC',
      'static backward(ctx',
    ],
    ['noGrad as a statement', () => js(noGrad)(), 'ERR_NO_FUNCTION', 'noGrad(() => model(x))'],
    ['noGrad with await', () => noGrad(async () => 1), 'ERR_ASYNC_SCOPE', 'synchronous'],
    ['clipping a model', () => nn.utils.clipGradNorm_(js(linear), 1), 'ERR_CLIP', 'model.parameters()'],
    ['clipping by nothing', () => js(nn.utils.clipGradNorm_)(linear.parameters()), 'ERR_CLIP', 'maxNorm'],
  ],
  'optimizers and data': [
    ['no parameters', () => new (js(optim.Adam))(), 'ERR_OPTIM_PARAMS', 'undefined'],
    ['a model', () => new optim.Adam(js(linear)), 'ERR_OPTIM_PARAMS', 'model.parameters()'],
    ['parameters without a call', () => new optim.Adam(js(linear).parameters), 'ERR_OPTIM_PARAMS', 'call it, model.parameters()'],
    [
      'a learning rate that is text',
      () => new optim.SGD(linear.parameters(), js({ lr: '0.1' })),
      'ERR_OPTIM_OPTION',
      'lr must be a number',
    ],
    ['step(loss)', () => js(new optim.SGD(linear.parameters())).step(linear(x).sum()), 'ERR_OPTIM_OPTION', 'loss.backward() first'],
    ['a scheduler without its optimizer', () => new optim.lrScheduler.StepLR(js(3), js(undefined)), 'ERR_SCHEDULER', 'is not an Optimizer'],
    ['a dataset of arrays', () => new data.TensorDataset(js([1, 2])), 'ERR_DATASET', 'tensor([…])'],
    ['a loader of nothing', () => new (js(data.DataLoader))(), 'ERR_DATA_LOADER', 'a dataset'],
    ['a loader with a number', () => new data.DataLoader(new data.TensorDataset(x), js(32)), 'ERR_OPTION', '{ batchSize: … }'],
  ],
  tensors: [
    ['a + b', () => js(x) + 1, 'ERR_OPERATOR', 'a.add(b)'],
    // oxlint-disable-next-line eqeqeq -- the slip itself
    ['a == 1', () => js(x.sum()) == 1, 'ERR_OPERATOR', 'a.item()'],
    ['+= of a loss', () => 0 + js(x.sum()), 'ERR_OPERATOR', 'a.item()'],
    ['toFixed', () => js(x.sum()).toFixed(2), 'ERR_NAME', 'item().toFixed'],
    ['cuda()', () => js(x).cuda(), 'ERR_NAME', "to('webgpu')"],
    ['model.cuda()', () => js(linear).cuda(), 'ERR_NAME', "to('webgpu')"],
    ['numpy()', () => js(x).numpy(), 'ERR_NAME', 'tensor.data()'],
    ['cuda by name', () => x.to('cuda'), 'ERR_DEVICE_UNKNOWN', "Did you mean 'webgpu'?"],
    ['item of many', () => x.item(), 'ERR_ITEM', '12 elements'],
    ['view of a transposed one', () => x.t().view(12), 'ERR_VIEW_STRIDES', 'reshape'],
    ['a size as text', () => zeros(js('2')), 'ERR_SIZE', "whole number, but is the text '2'"],
    ['a negative size', () => zeros(-1), 'ERR_SIZE', 'negative'],
    ['sizes in an array in an array', () => zeros(js([[2, 3]])), 'ERR_SIZE', 'whole number'],
    ['keepdims', () => x.sum(0, js({ keepdims: true })), 'ERR_OPTION', "Did you mean 'keepdim'?"],
    ['keepdim by position', () => x.sum(0, js(true)), 'ERR_OPTION', 'sum: options go into one object, { keepdim: … }'],
    ['a stride by position', () => new (js(nn.Conv2d))(1, 2, 3, 2), 'ERR_OPTION', 'Conv2d: options go into one object, { stride: … }'],
    ['a dim that is none', () => x.sum(3), 'ERR_DIM_RANGE', '[-2, 1]'],
    ['softmax of no dim', () => js(x).softmax(), 'ERR_DIM', 'dim'],
    ['beside an array', () => x.add(js([1, 2, 3])), 'ERR_ARGUMENT', 'not an array of 3'],
    ['of an array', () => F.relu(js([1, 2])), 'ERR_ARGUMENT', 'relu'],
    ['a sum of an array', () => torch.sum(js([1, 2])), 'ERR_ARGUMENT', 'sum'],
    ['sizes that do not meet', () => x.matmul(x), 'ERR_MATMUL_SHAPE', '(4x3) and (4x3)'],
    ['cat without a list', () => torch.cat(js(x)), 'ERR_CAT_EMPTY', 'list of Tensors, not a Tensor: cat([a, b])'],
    ['stack without a list', () => js(torch.stack)(x, x), 'ERR_CAT_EMPTY', 'stack([a, b])'],
    ['a dim in an object', () => F.softmax(x, js({ dim: 1 })), 'ERR_DIM', 'dim must be an integer, but is an object'],
    ['one dim in an object', () => x.argmax(js({ dim: 1 })), 'ERR_DIM', 'dim must be one integer, not an object'],
    ['a bound misspelt', () => x.clamp(js({ mni: 0 })), 'ERR_OPTION', "Did you mean 'min'?"],
    ['full without a value', () => js(torch.full)([2]), 'ERR_ARGUMENT', 'full: the value is missing'],
    ['tensors in a tensor', () => tensor(js([x, x])), 'ERR_TENSOR_DATA', 'stack([a, b])'],
    ['indices in an array', () => x.indexSelect(0, js([0])), 'ERR_ARGUMENT', "argument 'index'"],
    ['to nothing', () => js(x).to(), 'ERR_ARGUMENT', 'to: takes a device'],
    ['a module to nothing', () => js(linear).to(), 'ERR_ARGUMENT', 'to: takes a device'],
    ['padding by a number', () => F.pad(x, js(1)), 'ERR_PAD', 'such as [1, 1], not the number 1'],
    ['a seed as text', () => torch.manualSeed(js('0')), 'ERR_RANDOM_SEED', "the text '0'"],
    ['a hook that is none', () => js(linear).registerForwardHook(), 'ERR_ARGUMENT', 'must be a function'],
    ['a state that is no pair', () => new nn.LSTM(3, 4)(randn(2, 1, 3), js(randn(1, 1, 4))), 'ERR_ARGUMENT', '[h0, c0]'],
    ['attention to nothing', () => js(new nn.MultiheadAttention(4, 2))(randn(2, 1, 4)), 'ERR_ARGUMENT', 'query, key, value'],
    ['no bound', () => js(x).clamp(), 'ERR_CLAMP', "'min' and 'max'"],
    ['numbers one by one', () => js(tensor)(1, 2, 3), 'ERR_OPTION', 'the number 2'],
    ['a ragged array', () => tensor([[1], [2, 3]]), 'ERR_TENSOR_RAGGED', 'length 2'],
    ['a size without an array', () => js(torch.randint)(0, 10, 3), 'ERR_SIZE', 'randint(0, 10, [3])'],
    ['a mean of integers', () => ints(1, 2).mean(), 'ERR_DTYPE', "x.float().mean(…), or { dtype: 'float32' }"],
    ['an entry that is none', () => tensor([1, 2, 3]).at([0, 5]), 'ERR_INDEX_RANGE', 'at: index 5 is out of range for a dim of size 3'],
    ['from the end, too far', () => tensor([1, 2, 3]).at([0, -5]), 'ERR_INDEX_RANGE', 'at: index -5'],
    ['two of them', () => x.at([0, 9], [0, 1]), 'ERR_INDEX_RANGE', 'at: an index is out of range for dims of sizes [4, 3]'],
    ['entries of other counts', () => x.at([0, 1], [0, 1, 2]), 'ERR_INDEX_BROADCAST', 'at: shape mismatch'],
    ['undefined as an index', () => x.at(0, js(undefined)), 'ERR_INDEX', 'not undefined'],
    ['einsum without its equation', () => js(torch.einsum)(x, x), 'ERR_EINSUM', 'the equation comes first'],
  ],
};

describe.each(Object.entries(families))('%s', (_, slips) => {
  it.each(slips)('%s', (_what, slip, code, says) => {
    expect(slip).toThrow(expect.objectContaining({ code, message: expect.stringContaining(says) as string }));
  });
});

describe('what works, as in PyTorch or better', () => {
  afterEach(() => void vi.restoreAllMocks());

  it('rows, lists of dims, texts, JSON', () => {
    expect([...x]).toHaveLength(4);
    expect(x.mean([0, 1]).shape).toEqual([]);
    expect(`${js(tensor(1.5)) as string}`).toBe('tensor(1.5000)');
    expect(JSON.stringify(tensor([1, 2]))).toBe('{"dtype":"float32","shape":[2],"data":[1,2]}');
    expect(tensor([1, 2, 3]).at([0, 2]).toArray()).toEqual([1, 3]);
    expect(linear.forward(x).shape).toEqual([4, 2]);
  });

  it('a tensor of a tensor, where there are no methods too', () => {
    const from = ones(2).requiresGrad_();
    const copy = functional.tensor(from, { dtype: 'int32' });
    expect([copy.dtype, copy.requiresGrad, copy.toArray()]).toEqual(['int32', false, [1, 1]]);
    const own = functional.tensor(from);
    own.zero_();
    expect(from.toArray()).toEqual([1, 1]);
  });

  it('modules in an array are not found, and it is said once', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const model = new InArray();
    expect(model.parameters()).toEqual([]);
    model.train();
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/^\[ERR_HIDDEN_MEMBERS\] InArray\.layers .* nn\.ModuleList/));
    expect(() => new optim.SGD(model.parameters())).toThrow('nn.ModuleList');
  });

  it('a target that is broadcast in a loss, which is said once', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    expect(F.huberLoss(zeros(3, 1), zeros(3)).item()).toBe(0);
    F.huberLoss(zeros(3, 1), zeros(3));
    F.huberLoss(zeros(3), zeros(3));
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/^\[ERR_LOSS_BROADCAST\] huberLoss: .*\(3\).*\(3x1\)/));
  });

  it('a checkpoint of parts without names, or before its path', async () => {
    const code = expect.objectContaining({ code: 'ERR_CHECKPOINT_PARTS' }) as unknown;
    await expect(io.saveCheckpoint('run.pt', js(linear))).rejects.toEqual(code);
    await expect(js(io.saveCheckpoint)({ model: linear }, 'run.pt')).rejects.toEqual(code);
  });

  it('tensors of two devices', async () => {
    await init({ device: 'wasm' });
    const there = ones(4, 3);
    await init({ device: 'cpu' });
    expect(() => ones(4, 3).add(there)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^ERR_DEVICE/) as string }));
  });
});
