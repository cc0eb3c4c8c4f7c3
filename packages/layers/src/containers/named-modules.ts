/** @file Modules by name, as Sequential and ModuleDict take them. */
import { isModule, type Module, ModuleError } from '@tessera/core';

/** Modules by name, in order: an object (whose numeric keys come first), a Map, or pairs. PyTorch: OrderedDict. */
export type NamedModules<T extends Module = Module> =
  | Readonly<Record<string, T>>
  | ReadonlyMap<string, T>
  | readonly (readonly [name: string, module: T])[];

export function namedModules<T extends Module>(modules: NamedModules<T>): Iterable<readonly [string, T]> {
  if (Array.isArray(modules)) return modules as readonly (readonly [string, T])[];
  return modules instanceof Map ? (modules as ReadonlyMap<string, T>) : Object.entries(modules);
}

/** @throws ModuleError `ERR_MEMBER_TYPE`, `ERR_MEMBER_NAME`. */
export function checkModule(module: unknown, name?: string): void {
  if (!isModule(module)) {
    throw new ModuleError(
      'ERR_MEMBER_TYPE',
      `${typeof module === 'object' && module !== null ? module.constructor.name : String(module)} is not a Module subclass`,
      { name },
    );
  }
  if (name === undefined) return;
  if (name.includes('.')) throw new ModuleError('ERR_MEMBER_NAME', `module name can't contain ".", got: ${name}`, { name });
  if (name === '') throw new ModuleError('ERR_MEMBER_NAME', 'module name can\'t be empty string ""', { name });
}
