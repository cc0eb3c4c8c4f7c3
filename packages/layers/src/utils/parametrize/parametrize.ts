/** @file Weights that are computed from what is learnt, in any module. PyTorch: torch.nn.utils.parametrize. */
import {
  checkOptions,
  type OptionNames,
  isParameter,
  isTensor,
  type Module,
  ModuleError,
  noGrad,
  Parameter,
  type Tensor,
  typeNameOf,
} from '@tessera/core';
import { ModuleDict } from '../../containers/module-dict.js';
import { fromCache } from './cached.js';
import { type Parametrization, ParametrizationList } from './parametrization-list.js';

const REGISTER_PARAMETRIZATION_OPTIONS: OptionNames<{ readonly unsafe?: boolean }> = { unsafe: true };
const REMOVE_PARAMETRIZATIONS_OPTIONS: OptionNames<{ readonly leaveParametrized?: boolean }> = { leaveParametrized: true };

type Fields = Record<string, unknown>;
interface Parametrized {
  parametrizations: ModuleDict<ParametrizationList>;
}

const fail = (why: string): never => {
  throw new ModuleError('ERR_PARAMETRIZATION', why);
};

const listsOf = (module: Module): ModuleDict<ParametrizationList> | null => {
  const found = (module as unknown as Partial<Parametrized>).parametrizations;
  return found instanceof ModuleDict ? found : null;
};

/** Has the module parametrizations, of this tensor or of any? PyTorch: is_parametrized. */
export function isParametrized(module: Module, tensorName?: string): boolean {
  const lists = listsOf(module);
  if (lists === null || lists.size === 0) return false;
  return tensorName === undefined || lists.has(tensorName);
}

/** The module becomes one of a class of its own, which prints otherwise. */
function changeClass(module: Module): void {
  const own = Object.getPrototypeOf(module) as { readonly constructor: object };
  const type = Object.create(own.constructor, {
    typeName: { value: `Parametrized${typeNameOf(module)}` },
    name: { value: `Parametrized${typeNameOf(module)}` },
  }) as object;
  Object.setPrototypeOf(module, Object.create(own, { constructor: { value: type, configurable: true } }) as object);
}

/** The class that the module had before it was parametrized. PyTorch: type_before_parametrizations. */
export function typeBeforeParametrizations(module: Module): object {
  const own = Object.getPrototypeOf(module) as { readonly constructor: object };
  return isParametrized(module) ? (Object.getPrototypeOf(own) as { readonly constructor: object }).constructor : own.constructor;
}

/** Reading the property computes the weight, assigning to it writes what is learnt; members are own enumerable properties, and this is none. */
function inject(module: Module, name: string, list: ParametrizationList): void {
  delete (module as unknown as Fields)[name];
  Object.defineProperty(module, name, {
    configurable: true,
    enumerable: false,
    get: () => fromCache(module, name, () => list.compute()),
    set: (value: Tensor) => {
      list.rightInverse(value);
    },
  });
}

/**
 * Computes a parameter or buffer of a module by `parametrization` from now on. What is learnt stands under
 * `parametrizations.NAME.original`; more parametrizations of one tensor run one after the other. PyTorch: register_parametrization.
 *
 * @param options.unsafe Shape and dtype may change, and are not checked. Default false.
 * @throws ModuleError `ERR_PARAMETRIZATION`.
 * @example
 * class Symmetric extends nn.Module {
 *   forward(x: Tensor): Tensor {
 *     return x.triu().add(x.triu(1).transpose(-1, -2));
 *   }
 * }
 * nn.utils.parametrize.registerParametrization(layer, 'weight', new Symmetric());
 */
export function registerParametrization<M extends Module>(
  module: M,
  tensorName: string,
  parametrization: Parametrization,
  options: { readonly unsafe?: boolean } = {},
): M {
  const { unsafe = false } = checkOptions('registerParametrization', options, REGISTER_PARAMETRIZATION_OPTIONS);
  parametrization.train(module.training);
  const existing = listsOf(module)?.has(tensorName) ? listsOf(module)!.get(tensorName) : null;
  if (existing !== null) {
    appendTo(existing, parametrization, unsafe);
    return module;
  }
  const original = (module as unknown as Fields)[tensorName];
  const known = isParameter(original) || module.namedBuffers({ recurse: false }).some(([name]) => name === tensorName);
  if (!known || !isTensor(original)) {
    return fail(`Module '${typeNameOf(module)}' does not have a parameter, a buffer, or a parametrized element with name '${tensorName}'`);
  }
  const list = new ParametrizationList([parametrization], original, unsafe);
  list.training = module.training;
  if (!isParametrized(module)) {
    changeClass(module);
    const lists = new ModuleDict<ParametrizationList>();
    lists.training = module.training;
    (module as unknown as Parametrized).parametrizations = lists;
  }
  listsOf(module)!.set(tensorName, list);
  inject(module, tensorName, list);
  return module;
}

function appendTo(list: ParametrizationList, parametrization: Parametrization, unsafe: boolean): void {
  const before = noGrad(() => list.compute());
  if (!unsafe) {
    const check = (what: string, value: Tensor): void => {
      if (value.shape.join() !== before.shape.join() || value.dtype !== before.dtype)
        fail(
          `Registering a parametrization may not change the dtype or the shape of the tensor, but ${what} gives (${value.shape.join(', ')}), ${value.dtype}`,
        );
    };
    noGrad(() => {
      check('its forward', (parametrization as unknown as (x: Tensor) => Tensor)(before));
      const back = parametrization.rightInverse?.(before);
      if (back !== undefined)
        check('its rightInverse', isTensor(back) ? back : fail('only the first parametrization may give several tensors'));
    });
  }
  list.append(parametrization);
  list.rightInverse(before);
}

/**
 * Makes a tensor a plain member of its module again: with the values that were computed, or with `leaveParametrized: false` those that were learnt.
 * PyTorch: remove_parametrizations.
 * @throws ModuleError `ERR_PARAMETRIZATION`.
 */
export function removeParametrizations<M extends Module>(
  module: M,
  tensorName: string,
  options: { readonly leaveParametrized?: boolean } = {},
): M {
  const { leaveParametrized = true } = checkOptions('removeParametrizations', options, REMOVE_PARAMETRIZATIONS_OPTIONS);
  const lists = listsOf(module);
  if (lists === null || !lists.has(tensorName))
    return fail(`Module '${typeNameOf(module)}' does not have a parametrization on '${tensorName}'`);
  const list = lists.get(tensorName);
  const originals = list.originals();
  if (!leaveParametrized && !list.isTensor)
    fail('Cannot leave unparametrized (`leaveParametrized: false`) a tensor that is parametrized in terms of a sequence of tensors.');
  const [first] = originals as [Tensor, ...Tensor[]];
  const learnt = isParameter(first);
  let member = first;
  if (leaveParametrized) {
    const value = noGrad(() => list.compute()).detach();
    if (list.isTensor && value.dtype === first.dtype) {
      // The handle that optimizers have.
      if (value.shape.join() === first.shape.join()) noGrad(() => first.copy_(value));
      else first.become(value);
    } else
      member = learnt
        ? new Parameter(
            value,
            originals.some((o) => o.requiresGrad),
          )
        : value;
  }
  delete (module as unknown as Fields)[tensorName];
  lists.delete(tensorName);
  if (lists.size === 0) {
    delete (module as unknown as Fields).parametrizations;
    Object.setPrototypeOf(module, Object.getPrototypeOf(Object.getPrototypeOf(module)) as object);
  }
  if (learnt) module.registerParameter(tensorName, member as Parameter);
  else module.registerBuffer(tensorName, member);
  return module;
}
