/** @file Putting members under names that are computed, with PyTorch's checks. */
import { ModuleError } from '../errors.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { STATE } from './callable.js';
import { isModule, memberOf, setMember } from './members.js';
import type { Module } from './module.js';
import { isParameter, type Parameter } from './parameter.js';

function checkName(module: Module, kind: 'parameter' | 'buffer' | 'module', name: string, isSame: (member: unknown) => boolean): void {
  const fail = (message: string): never => {
    throw new ModuleError('ERR_MEMBER_NAME', message, { op: 'register', name });
  };
  if (typeof name !== 'string') fail(`${kind} name should be a string. Got ${typeof name}`);
  if (name.includes('.')) fail(kind === 'module' ? `module name can't contain ".", got: ${name}` : `${kind} name can't contain "."`);
  if (name === '') fail(`${kind} name can't be empty string ""`);
  const member = memberOf(module, name);
  if (member !== undefined && member !== null && !isSame(member)) fail(`attribute '${name}' already exists`);
}

const describe = (x: unknown): string => (typeof x === 'object' && x !== null ? x.constructor.name : typeof x);

export function registerParameter(module: Module, name: string, parameter: Parameter | null): void {
  checkName(module, 'parameter', name, isParameter);
  if (parameter !== null && !isParameter(parameter)) {
    throw new ModuleError(
      'ERR_MEMBER_TYPE',
      `cannot assign '${describe(parameter)}' object to parameter '${name}' (nn.Parameter or null required)`,
      { name },
    );
  }
  if (parameter !== null && !parameter.isLeaf) {
    throw new ModuleError(
      'ERR_MEMBER_TYPE',
      `Cannot assign non-leaf Tensor to parameter '${name}'. Model parameters must be created explicitly. To express '${name}' as a function of another Tensor, compute the value in the forward() method.`,
      { name },
    );
  }
  setMember(module, name, parameter);
}

export function registerBuffer(module: Module, name: string, tensor: Tensor | null, persistent: boolean): void {
  const { buffers } = module[STATE];
  checkName(module, 'buffer', name, () => buffers.has(name));
  if (tensor !== null && !isTensor(tensor)) {
    throw new ModuleError('ERR_MEMBER_TYPE', `cannot assign '${describe(tensor)}' object to buffer '${name}' (Tensor or null required)`, {
      name,
    });
  }
  setMember(module, name, tensor);
  buffers.set(name, persistent);
}

export function registerModule(module: Module, name: string, child: Module | null): void {
  if (child !== null && !isModule(child)) throw new ModuleError('ERR_MEMBER_TYPE', `${describe(child)} is not a Module subclass`, { name });
  checkName(module, 'module', name, isModule);
  setMember(module, name, child);
}
