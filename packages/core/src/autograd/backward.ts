/** @file What a user calls to have gradients: `backward`, which leaves them in the leaves, and `grad`, which gives them back. */
import { AutogradError, ShapeError } from '../errors.js';
import { sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { accumulate } from './accumulate.js';
import { edgeOf } from './edge.js';
import { runBackward } from './engine.js';
import { type BackwardOptions, onesLike } from './engine-ops.js';
import type { GradNode } from './node.js';
import { checkOptions, type OptionNames } from '../options.js';

const BACKWARD_OPTIONS: OptionNames<BackwardOptions> = { retainGraph: true, createGraph: true, inputs: true };
const GRAD_OPTIONS: OptionNames<{
  gradOutputs?: Tensor | readonly (Tensor | null)[];
  retainGraph?: boolean;
  createGraph?: boolean;
  allowUnused?: boolean;
  materializeGrads?: boolean;
}> = { gradOutputs: true, retainGraph: true, createGraph: true, allowUnused: true, materializeGrads: true };

function rootsOf(
  outputs: readonly Tensor[],
  gradOutputs: readonly (Tensor | null | undefined)[],
  name: string,
): { roots: GradNode[]; grads: Tensor[]; made: boolean[] } {
  const roots: GradNode[] = [];
  const grads: Tensor[] = [];
  const made: boolean[] = [];
  outputs.forEach((output, i) => {
    const node = edgeOf(output);
    if (node === null)
      throw new AutogradError('ERR_NO_GRAD', `${name}: element ${i} of tensors does not require grad and does not have a grad_fn`, {
        shapes: [output.shape],
      });
    const given = gradOutputs[i] ?? null;
    made.push(given === null);
    if (given === null) {
      if (output.numel() !== 1)
        throw new AutogradError(
          'ERR_GRAD_NOT_SCALAR',
          `${name}: grad can be implicitly created only for scalar outputs, not for shape [${output.shape.join(', ')}]`,
          { shapes: [output.shape] },
        );
      grads.push(onesLike(output));
    } else {
      if (!sameShape(given.shape, output.shape)) {
        throw new ShapeError(
          'ERR_GRAD_SHAPE',
          `${name}: Mismatch in shape: grad_output[${i}] has a shape of [${given.shape.join(', ')}] and output[${i}] has a shape of [${output.shape.join(', ')}].`,
          { shapes: [given.shape, output.shape] },
        );
      }
      grads.push(given);
    }
    roots.push(node);
  });
  return { roots, grads, made };
}

/** PyTorch: torch.autograd.backward. */
export function backward(
  tensors: Tensor | readonly Tensor[],
  gradTensors?: Tensor | readonly (Tensor | null)[] | null,
  options: BackwardOptions = {},
): void {
  checkOptions('backward', options, BACKWARD_OPTIONS);
  const outputs = Array.isArray(tensors) ? (tensors as readonly Tensor[]) : [tensors as Tensor];
  const given =
    gradTensors === undefined || gradTensors === null
      ? []
      : Array.isArray(gradTensors)
        ? (gradTensors as readonly (Tensor | null)[])
        : [gradTensors as Tensor];
  const { roots, grads, made } = rootsOf(outputs, given, 'backward');
  const createGraph = options.createGraph ?? false;
  const retainGraph = options.retainGraph ?? createGraph;
  if (options.inputs === undefined) {
    runBackward(roots, grads, { targets: null, retainGraph, createGraph, made });
    return;
  }
  const results = runBackward(roots, grads, {
    targets: options.inputs.map((t) => targetOf(t, 'backward')),
    retainGraph,
    createGraph,
    made,
  });
  options.inputs.forEach((input, i) => {
    const g = results[i]!;
    if (g !== null) {
      accumulate(input, g, createGraph);
      if (!createGraph) g.dispose();
      input.ownGrad!.realize();
    }
  });
}

function targetOf(t: Tensor, name: string): GradNode {
  const node = edgeOf(t);
  if (node === null)
    throw new AutogradError('ERR_NO_GRAD', `${name}: One of the differentiated Tensors does not require grad`, { shapes: [t.shape] });
  return node;
}

/**
 * The gradients of `outputs` by `inputs`, without touching any `.grad`. PyTorch: torch.autograd.grad.
 *
 * @throws AutogradError `ERR_GRAD_UNUSED` when an input is not part of the graph and `allowUnused` is not set.
 * @example const [dx] = grad(y.sum(), [x], { createGraph: true })
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: {
    gradOutputs?: Tensor | readonly (Tensor | null)[];
    retainGraph?: boolean;
    createGraph?: boolean;
    allowUnused?: boolean;
    materializeGrads?: boolean;
  } = {},
): (Tensor | null)[] {
  checkOptions('grad', options, GRAD_OPTIONS);
  const outs = Array.isArray(outputs) ? (outputs as readonly Tensor[]) : [outputs as Tensor];
  const ins = Array.isArray(inputs) ? (inputs as readonly Tensor[]) : [inputs as Tensor];
  const given =
    options.gradOutputs === undefined
      ? []
      : Array.isArray(options.gradOutputs)
        ? (options.gradOutputs as readonly (Tensor | null)[])
        : [options.gradOutputs as Tensor];
  const { roots, grads, made } = rootsOf(outs, given, 'grad');
  const createGraph = options.createGraph ?? false;
  const results = runBackward(roots, grads, {
    targets: ins.map((t) => targetOf(t, 'grad')),
    retainGraph: options.retainGraph ?? createGraph,
    createGraph,
    made,
  });
  return results.map((g, i) => {
    if (g === null && options.materializeGrads === true) return onesLike(ins[i]!, 0);
    if (g === null && options.allowUnused !== true) {
      throw new AutogradError(
        'ERR_GRAD_UNUSED',
        'grad: One of the differentiated Tensors appears to not have been used in the graph. Set allowUnused: true if this is the desired behavior.',
        { shapes: [ins[i]!.shape] },
      );
    }
    return g;
  });
}
