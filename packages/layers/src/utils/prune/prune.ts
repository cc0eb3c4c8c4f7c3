/**
 * @file Parts of a module's weights masked by zeros. The weight moves to `NAME_orig`, the mask is the buffer `NAME_mask`, and before each forward
 * `NAME` is their product. How many elements are left is read: masks are made on devices that can be read at once. PyTorch: torch.nn.utils.prune.
 */
import {
  checkOptions,
  type OptionNames,
  cat,
  isParameter,
  type Module,
  ModuleError,
  noGrad,
  ones,
  type Parameter,
  type RemovableHandle,
  type Tensor,
  typeNameOf,
} from '@tessera/core';
import {
  type Amount,
  customFromMaskMethod,
  identityMethod,
  l1UnstructuredMethod,
  lnStructuredMethod,
  type PruningMethod,
  randomStructuredMethod,
  randomUnstructuredMethod,
} from './methods.js';

const GLOBAL_UNSTRUCTURED_OPTIONS: OptionNames<{ readonly importanceScores?: ReadonlyMap<Module, Readonly<Record<string, Tensor>>> }> = {
  importanceScores: true,
};
const SCORE_OPTIONS: OptionNames<ScoreOptions> = { importanceScores: true };

type Fields = Record<string, Tensor | undefined>;
const fields = (module: Module): Fields => module as unknown as Fields;

/** What was done to a module's weights, by name. */
interface Pruned {
  readonly methods: PruningMethod[];
  readonly hook: RemovableHandle;
}
const PRUNED = new WeakMap<Module, Map<string, Pruned>>();

export interface ScoreOptions {
  /** What counts in place of the weight's own elements; of the same shape. */
  readonly importanceScores?: Tensor | null;
}

/** Computes `NAME` from what is learnt and the mask. */
function apply(module: Module, name: string): void {
  const own = fields(module);
  own[name] = own[`${name}_orig`]!.mul(own[`${name}_mask`]!);
}

/**
 * Masks what `method` chooses, among what earlier calls have left. PyTorch: BasePruningMethod.apply.
 * @throws ModuleError `ERR_PRUNE` where there is no such parameter, ValueError `ERR_PRUNE` for amounts that do not fit.
 */
export function pruneWith<M extends Module>(module: M, name: string, method: PruningMethod, options: ScoreOptions = {}): M {
  const { importanceScores = null } = checkOptions('pruneWith', options, SCORE_OPTIONS);
  const own = fields(module);
  const before = PRUNED.get(module)?.get(name);
  const original = own[before === undefined ? name : `${name}_orig`];
  if (original === undefined || !isParameter(original))
    throw new ModuleError('ERR_PRUNE', `prune: a ${typeNameOf(module)} has no parameter '${name}'`, { op: 'prune', name });
  const scores = (importanceScores ?? original).detach();
  if (scores.shape.join() !== original.shape.join())
    throw new ModuleError(
      'ERR_PRUNE',
      `prune: importanceScores should have the shape of the parameter, (${original.shape.join(', ')}), not (${scores.shape.join(', ')})`,
      { op: 'prune' },
    );
  const { device, dtype } = original;
  const mask = method.computeMask(scores, before === undefined ? ones(original.shape, { device, dtype }) : own[`${name}_mask`]!);
  if (before !== undefined) {
    noGrad(() => own[`${name}_mask`]!.copy_(mask));
    before.methods.push(method);
  } else {
    delete own[name];
    module.registerParameter(`${name}_orig`, original);
    module.registerBuffer(`${name}_mask`, mask);
    const hook = module.registerForwardPreHook(() => apply(module, name));
    const ofModule = PRUNED.get(module) ?? new Map<string, Pruned>();
    ofModule.set(name, { methods: [method], hook });
    PRUNED.set(module, ofModule);
  }
  apply(module, name);
  return module;
}

/** The methods that pruned a weight, in order. */
export const pruningOf = (module: Module, name: string): readonly PruningMethod[] => PRUNED.get(module)?.get(name)?.methods ?? [];

/** Splits the weight up, and masks nothing. PyTorch: prune.identity. */
export const identity = <M extends Module>(module: M, name: string): M => pruneWith(module, name, identityMethod);

/** Masks the elements of the smallest size. PyTorch: prune.l1_unstructured. @example prune.l1Unstructured(model.fc1, 'weight', 0.3) */
export const l1Unstructured = <M extends Module>(module: M, name: string, amount: Amount, options?: ScoreOptions): M =>
  pruneWith(module, name, l1UnstructuredMethod(amount), checkOptions('l1Unstructured', options, SCORE_OPTIONS));

/** Masks elements at random. PyTorch: prune.random_unstructured. */
export const randomUnstructured = <M extends Module>(module: M, name: string, amount: Amount): M =>
  pruneWith(module, name, randomUnstructuredMethod(amount));

/** Masks the channels along `dim` of the smallest n-norm. PyTorch: prune.ln_structured. */
export const lnStructured = <M extends Module>(
  module: M,
  name: string,
  amount: Amount,
  n: number,
  dim: number,
  options?: ScoreOptions,
): M => pruneWith(module, name, lnStructuredMethod(amount, n, dim), checkOptions('lnStructured', options, SCORE_OPTIONS));

/** Masks channels along `dim` at random. PyTorch: prune.random_structured. */
export const randomStructured = <M extends Module>(module: M, name: string, amount: Amount, dim: number): M =>
  pruneWith(module, name, randomStructuredMethod(amount, dim));

/** Masks by a mask of one's own. PyTorch: prune.custom_from_mask. */
export const customFromMask = <M extends Module>(module: M, name: string, mask: Tensor): M =>
  pruneWith(module, name, customFromMaskMethod(mask));

/** Is anything below the module pruned? PyTorch: prune.is_pruned. */
export const isPruned = (module: Module): boolean => module.modules().some((m) => (PRUNED.get(m)?.size ?? 0) > 0);

/**
 * Makes the masked weight the parameter, and forgets mask and original. PyTorch: prune.remove.
 * @throws ModuleError `ERR_PRUNE` where it was not pruned.
 */
export function remove<M extends Module>(module: M, name: string): M {
  const pruned = PRUNED.get(module)?.get(name);
  if (pruned === undefined)
    throw new ModuleError(
      'ERR_PRUNE',
      `prune: Parameter '${name}' of module ${typeNameOf(module)} has to be pruned before pruning can be removed`,
      { op: 'prune', name },
    );
  const own = fields(module);
  const original = own[`${name}_orig`] as Parameter;
  noGrad(() => original.mul_(own[`${name}_mask`]!));
  pruned.hook.remove();
  PRUNED.get(module)!.delete(name);
  for (const key of [name, `${name}_orig`, `${name}_mask`]) delete own[key];
  module.registerParameter(name, original);
  return module;
}

/**
 * Masks over several weights at once, as if they were one: the same share of each is not masked, but the same share of all. PyTorch:
 * prune.global_unstructured.
 * @example prune.globalUnstructured([[model.fc1, 'weight'], [model.fc2, 'weight']], prune.l1UnstructuredMethod(0.2))
 */
export function globalUnstructured(
  parameters: readonly (readonly [module: Module, name: string])[],
  method: PruningMethod,
  options: { readonly importanceScores?: ReadonlyMap<Module, Readonly<Record<string, Tensor>>> } = {},
): void {
  const { importanceScores = new Map() } = checkOptions('globalUnstructured', options, GLOBAL_UNSTRUCTURED_OPTIONS);
  if (method.kind !== 'unstructured')
    throw new ModuleError('ERR_PRUNE', `prune: Only "unstructured" pruning methods are supported for global pruning, not ${method.name}`, {
      op: 'prune',
    });
  const flat = (t: Tensor): Tensor => t.detach().reshape([t.numel()]);
  const parts = parameters.map(([module, name]) => {
    const own = fields(module);
    const pruned = pruningOf(module, name).length > 0;
    const weight = own[pruned ? `${name}_orig` : name]!;
    const mask = pruned ? own[`${name}_mask`]! : ones(weight.shape, { device: weight.device, dtype: weight.dtype });
    return { module, name, weight, mask, scores: importanceScores.get(module)?.[name] ?? weight };
  });
  const mask = method.computeMask(cat(parts.map((p) => flat(p.scores))), cat(parts.map((p) => flat(p.mask))));
  let at = 0;
  for (const { module, name, weight } of parts) {
    customFromMask(module, name, mask.narrow(0, at, weight.numel()).reshape(weight.shape));
    at += weight.numel();
  }
}
