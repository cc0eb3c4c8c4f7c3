/** @file What a model is made of, as a table: each module, its output for one image, its parameters. */
import { isTensor, noGrad, type nn, type Tensor, typeNameOf, zeros } from 'tessera';
import type { LayerRow } from '../shared/reports.js';
import type { ImageModel } from './model-source.js';

const shapeOf = (output: unknown): string => {
  const first: unknown = Array.isArray(output) ? output[0] : output;
  return isTensor(first) ? `(${(first as Tensor).shape.join(', ')})` : '';
};

/**
 * Runs the model once on an empty image, in evaluation mode.
 * @throws whatever its forward throws.
 */
export async function summarize(model: ImageModel): Promise<LayerRow[]> {
  const seen = new Map<nn.Module, { output: string; calls: number }>();
  const named = model.namedModules();
  const hooks = named.map(([, module]) =>
    module.registerForwardHook((_module, _args, output) => {
      const before = seen.get(module);
      seen.set(module, { output: before?.output ?? shapeOf(output), calls: (before?.calls ?? 0) + 1 });
    }),
  );
  try {
    model.eval();
    checkScores(await noGrad(() => model(zeros(1, 1, 28, 28))));
  } finally {
    for (const hook of hooks) hook.remove();
    model.train();
  }
  const counted = new Set<unknown>();
  return named.map(([path, module]) => {
    const own = module.parameters(false).filter((parameter) => !counted.has(parameter));
    for (const parameter of own) counted.add(parameter);
    return {
      path,
      depth: path === '' ? 0 : path.split('.').length,
      type: typeNameOf(module),
      details: module.extraRepr(),
      output: seen.get(module)?.output ?? '',
      calls: seen.get(module)?.calls ?? 0,
      parameters: own.reduce((sum, parameter) => sum + parameter.numel(), 0),
    };
  });
}

function checkScores(scores: unknown): void {
  if (!isTensor(scores)) throw new Error('forward(x) gave no tensor: it must give the scores of the ten digits, of shape (N, 10)');
  const { shape } = scores as Tensor;
  if (shape.length !== 2 || shape[0] !== 1 || shape[1] !== 10)
    throw new Error(
      `forward(x) gave a tensor of shape (${shape.join(', ')}) for one image; it must give the scores of the ten digits, (1, 10)`,
    );
}
