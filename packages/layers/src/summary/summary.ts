/** @file summary: the layers of a model with their shapes, parameters and multiply-adds. PyTorch: torchinfo.summary. */
import {
  checkOptions,
  type OptionNames,
  type Device,
  type DeviceLike,
  type DType,
  isTensor,
  ModuleError,
  type Module,
  noGrad,
  rand,
  runtimes,
  type Shape,
  type Tensor,
  toDevice,
  typeNameOf,
  ValueError,
  zeros,
} from '@tessera/core';
import { type LayerCall, layerCalls } from './layer-calls.js';
import { ModelSummary, type SummaryColumn, type SummaryRow } from './model-summary.js';

const SUMMARY_OPTIONS: OptionNames<SummaryOptions> = { inputs: true, dtypes: true, device: true, depth: true, mode: true, columns: true };

export interface SummaryOptions {
  /** The model's arguments themselves, in place of sizes. */
  readonly inputs?: readonly unknown[];
  /** The dtype of each input that is made from a size. Integers are zeros, floats random. Default float32. */
  readonly dtypes?: readonly DType[];
  /** Default: that of the first parameter. */
  readonly device?: DeviceLike;
  /** How deep the tree is shown. What is deeper counts for what holds it. Default 3. */
  readonly depth?: number;
  /** Default 'eval': dropout passes, and batch norm leaves its statistics alone. 'same' leaves the model as it is. */
  readonly mode?: 'eval' | 'train' | 'same';
  /** Default: output shape, parameters, multiply-adds. */
  readonly columns?: readonly SummaryColumn[];
}

/**
 * Runs the model once, without recording, and tells what it consists of. The model is left as it was, and so are random numbers.
 *
 * Multiply-adds are counted as torchinfo does, from parameters and output sizes: for a convolution, each weight and bias once for each place and
 * sample; for a linear layer, once for each row (torchinfo counts samples only, which is the same for inputs with 2 dims); for recurrent and attention
 * weights, once for each sample and step; for other parameters, once for each sample. Products without parameters, such as those of attention, count nothing.
 *
 * @param inputSize The size of the one input, `[1, 3, 32, 32]`, or sizes of several; null for `options.inputs`, or for a summary without shapes.
 * @example console.log(String(summary(model, [1, 1, 28, 28])));
 * @example summary(model, null, { inputs: [tokens, mask] }).totalParams
 * @throws ValueError `ERR_INPUT_SIZE`; ModuleError `ERR_ASYNC_FORWARD`; and whatever the model's forward throws.
 */
export function summary(model: Module, inputSize: Shape | readonly Shape[] | null, options: SummaryOptions = {}): ModelSummary {
  checkOptions('summary', options, SUMMARY_OPTIONS);
  if (inputSize === undefined)
    throw new ValueError('ERR_INPUT_SIZE', 'summary: give the size of the input, such as [1, 3, 32, 32], or null');
  const { depth = 3, mode = 'eval', columns } = options;
  const device = options.device === undefined ? (model.parameters()[0]?.device ?? toDevice(null)) : toDevice(options.device);
  const { generator } = runtimes.current;
  const state = generator.getState();
  const trained = model.modules().map((m) => [m, m.training] as const);
  try {
    const inputs =
      options.inputs ??
      (inputSize === null ? null : sizesOf(inputSize).map((size, i) => madeOf(size, options.dtypes?.[i] ?? 'float32', device)));
    if (mode !== 'same') model.train(mode === 'train');
    const calls = layerCalls(
      model,
      inputs === null
        ? null
        : () =>
            noGrad(() => {
              const output: unknown = (model as unknown as (...args: readonly unknown[]) => unknown)(...inputs);
              if (output instanceof Promise) {
                output.catch(() => {});
                throw new ModuleError('ERR_ASYNC_FORWARD', `summary: ${typeNameOf(model)} has an async forward, which ends after its call`);
              }
            }),
    );
    return new ModelSummary(
      rowOf(calls),
      tensorsIn(inputs ?? []).reduce((sum, t) => sum + t.numel() * t.elementSize(), 0),
      inputs !== null,
      { depth, columns },
    );
  } finally {
    for (const [m, on] of trained) m.training = on;
    generator.setState(state);
  }
}

function sizesOf(given: Shape | readonly Shape[]): readonly Shape[] {
  const sizes = (Array.isArray(given[0]) ? given : [given]) as readonly Shape[];
  const good = sizes.length > 0 && sizes.every((size) => Array.isArray(size) && size.every((n) => Number.isInteger(n) && n > 0));
  if (!good)
    throw new ValueError('ERR_INPUT_SIZE', `summary: an input size is a list of positive whole numbers, not ${JSON.stringify(given)}`, {
      op: 'summary',
    });
  return sizes;
}

const madeOf = (size: Shape, dtype: DType, device: Device): Tensor =>
  dtype === 'float32' || dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16'
    ? rand(size, { device }).to(dtype)
    : zeros(size, { dtype, device });

const tensorsIn = (x: unknown): Tensor[] => (isTensor(x) ? [x] : Array.isArray(x) ? x.flatMap(tensorsIn) : []);
const product = (sizes: Shape): number => sizes.reduce((a, b) => a * b, 1);

/** Multiply-adds of a module's own parameters. */
function multiplyAddsOf(module: Module, type: string, output: Shape): number {
  let sum = 0;
  for (const [name, p] of module.namedParameters({ recurse: false })) {
    if (name === 'weight' || name === 'bias') {
      if (type.includes('Conv')) sum += p.numel() * product([...output.slice(0, 1), ...output.slice(2)]);
      else if (type.includes('Linear')) sum += p.numel() * product(output.slice(0, -1));
      else sum += p.numel() * (output[0] ?? 1);
    } else if (name.includes('weight') || name.includes('bias')) sum += p.numel() * product(output.slice(0, 2));
  }
  return sum;
}

function rowOf(call: LayerCall): SummaryRow {
  const { module, output } = call;
  const typeName = typeNameOf(module);
  const children = call.children.map(rowOf);
  const params = module.parameters();
  const own = module.parameters(false);
  const count = (list: readonly Tensor[]): number => list.reduce((sum, p) => sum + p.numel(), 0);
  const [weight] = own;
  return {
    typeName,
    path: call.path,
    depth: call.depth,
    inputShape: call.input,
    outputShape: output?.shape ?? null,
    outputBytes: output === null ? 0 : output.numel() * output.elementSize(),
    params: count(params),
    ownParams: count(own),
    trainableParams: count(params.filter((p) => p.requiresGrad)),
    paramBytes: params.reduce((sum, p) => sum + p.numel() * p.elementSize(), 0),
    kernelShape: weight !== undefined && weight.ndim > 1 ? weight.shape.slice(typeName.includes('Conv') ? 2 : 0) : null,
    multiplyAdds:
      (output === null ? 0 : multiplyAddsOf(module, typeName, output.shape)) + children.reduce((sum, c) => sum + c.multiplyAdds, 0),
    repeated: call.repeated,
    children,
  };
}
