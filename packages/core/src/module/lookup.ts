/** @file Members by dotted paths. */
import { ModuleError } from '../errors.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { isModule, memberOf, ownBuffers, setMember } from './members.js';
import type { Module } from './module.js';
import { isParameter, type Parameter } from './parameter.js';
import { typeNameOf } from './repr.js';

function noMember(message: string, target: string): never {
  throw new ModuleError('ERR_NO_MEMBER', message, { target });
}

const split = (target: string): [string, string] => {
  const dot = target.lastIndexOf('.');
  return [target.slice(0, Math.max(dot, 0)), target.slice(dot + 1)];
};

export function getSubmodule(module: Module, target: string): Module {
  if (target === '') return module;
  let at = module;
  for (const item of target.split('.')) {
    const member = memberOf(at, item);
    if (member === undefined) noMember(`${typeNameOf(at)} has no attribute \`${item}\``, target);
    if (!isModule(member)) return noMember(`\`${item}\` is not an nn.Module`, target);
    at = member;
  }
  return at;
}

export function setSubmodule(module: Module, target: string, child: Module, strict: boolean): void {
  if (target === '') throw new ModuleError('ERR_MEMBER_NAME', 'Cannot set the submodule without a target name!');
  if (!isModule(child)) throw new ModuleError('ERR_MEMBER_TYPE', `\`module\` is not an nn.Module, found ${typeof child}`);
  const [path, name] = split(target);
  const parent = getSubmodule(module, path);
  const member = memberOf(parent, name);
  if (strict && member === undefined) noMember(`${typeNameOf(parent)} has no attribute \`${name}\``, target);
  if (member !== undefined && !isModule(member)) noMember(`\`${name}\` is not an nn.Module`, target);
  setMember(parent, name, child);
}

export function getParameter(module: Module, target: string): Parameter {
  const [path, name] = split(target);
  const owner = getSubmodule(module, path);
  const member = memberOf(owner, name);
  if (member === undefined) noMember(`${typeNameOf(owner)} has no attribute \`${name}\``, target);
  return isParameter(member) ? member : noMember(`\`${name}\` is not an nn.Parameter`, target);
}

export function getBuffer(module: Module, target: string): Tensor {
  const [path, name] = split(target);
  const owner = getSubmodule(module, path);
  const member = memberOf(owner, name);
  if (member === undefined) noMember(`${typeNameOf(owner)} has no attribute \`${name}\``, target);
  return isTensor(member) && ownBuffers(owner).some(([own]) => own === name) ? member : noMember(`\`${name}\` is not a buffer`, target);
}
