/** @file Modules by name, as Sequential and ModuleDict take them. */
import { isModule, Module, ModuleError } from '@tessera/core';

/** Modules by name, in order: an object (whose numeric keys come first), a Map, or pairs. PyTorch: OrderedDict. */
export type NamedModules<T extends Module = Module> =
  | Readonly<Record<string, T>>
  | ReadonlyMap<string, T>
  | readonly (readonly [name: string, module: T])[];

export function namedModules<T extends Module>(modules: NamedModules<T>): Iterable<readonly [string, T]> {
  if (Array.isArray(modules)) {
    if (isModule(modules[0]))
      throw new ModuleError(
        'ERR_MEMBER_TYPE',
        'modules in an array go without it, new nn.Sequential(a, b) or (...array), or as pairs of a name and a module',
      );
    return modules as readonly (readonly [string, T])[];
  }
  return modules instanceof Map ? (modules as ReadonlyMap<string, T>) : Object.entries(modules);
}

function nameOf(module: unknown): string {
  if (typeof module !== 'function') return typeof module === 'object' && module !== null ? module.constructor.name : String(module);
  const isClass = isModule((module as { readonly prototype?: unknown }).prototype) || module.prototype instanceof Module;
  return isClass
    ? `the class ${module.name} (new is missing: new nn.${module.name}())`
    : `a function (a layer such as nn.ReLU takes its place)`;
}

/** @throws ModuleError `ERR_MEMBER_TYPE`, `ERR_MEMBER_NAME`. */
export function checkModule(module: unknown, name?: string): void {
  if (!isModule(module)) {
    throw new ModuleError('ERR_MEMBER_TYPE', `${nameOf(module)} is not a Module subclass`, { name });
  }
  if (name === undefined) return;
  if (name.includes('.')) throw new ModuleError('ERR_MEMBER_NAME', `module name can't contain ".", got: ${name}`, { name });
  if (name === '') throw new ModuleError('ERR_MEMBER_NAME', 'module name can\'t be empty string ""', { name });
}
