/**
 * @file What a module consists of: its own properties that are parameters, buffers or modules, in the order in which they came to be, and the
 * entries of containers. Nothing is intercepted at assignment; a module is read when it is asked.
 */
import { typeNameOf } from './repr.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { STATE } from './callable.js';
import type { Module } from './module.js';
import { isBuffer, isParameter, type Parameter } from './parameter.js';

export type Member = Module | Tensor;

const MODULE = Symbol.for('tessera.module');

/** Is it a module, of this copy of core or of another one in the same page? */
export const isModule = (x: unknown): x is Module => typeof x === 'function' && MODULE in x;

/** Marks a class as that of modules. @internal */
export function brandModule(prototype: object): void {
  Object.defineProperty(prototype, MODULE, { value: true });
}

type Fields = Readonly<Record<string, unknown>>;

/** Calls `visit` with each name and what it holds: the entries of a container, then its own properties. */
function each(module: Module, visit: (name: string, member: unknown) => void): void {
  for (const [name, member] of module[STATE].entries) visit(name, member);
  const fields = module as unknown as Fields;
  for (const name of Object.keys(module)) {
    const member = fields[name];
    if (typeof member === 'object' ? member !== null : typeof member === 'function') visit(name, member);
    if (Array.isArray(member) && (isModule(member[0]) || isParameter(member[0])))
      warnOfArray(module, name, isModule(member[0]) ? 'Module' : 'Parameter');
  }
}

const warned = new WeakMap<Module, Set<string>>();

/** An array hides what it holds, which is seldom meant: said once of each field. */
function warnOfArray(module: Module, name: string, kind: string): void {
  const fields = warned.get(module) ?? new Set<string>();
  if (fields.has(name)) return;
  warned.set(module, fields.add(name));
  console.warn(
    `[ERR_HIDDEN_MEMBERS] ${typeNameOf(module)}.${name} is an array of ${kind.toLowerCase()}s, whose parameters are not found: make it a nn.${kind}List (or a #private field, where that is meant)`,
  );
}

/** Its own parameters by name. */
export function ownParameters(module: Module): [string, Parameter][] {
  const found: [string, Parameter][] = [];
  each(module, (name, member) => {
    if (isParameter(member)) found.push([name, member]);
  });
  return found;
}

/** Its own buffers by name. A name that once held a {@link Buffer} stays a buffer's when a plain tensor is assigned to it. */
export function ownBuffers(module: Module): [string, Tensor][] {
  const found: [string, Tensor][] = [];
  const { buffers } = module[STATE];
  each(module, (name, member) => {
    if (!isTensor(member) || isParameter(member)) return;
    if (isBuffer(member) && !buffers.has(name)) buffers.set(name, member.persistent);
    if (buffers.has(name)) found.push([name, member]);
  });
  return found;
}

/** Its own children by name; one module under two names is there twice. */
export function ownChildren(module: Module): [string, Module][] {
  const found: [string, Module][] = [];
  each(module, (name, member) => {
    if (isModule(member)) found.push([name, member]);
  });
  return found;
}

/** What a module has under a name: an entry, or a property. */
export function memberOf(module: Module, name: string): unknown {
  const { entries } = module[STATE];
  return entries.has(name) ? entries.get(name) : (module as unknown as Fields)[name];
}

/** Numbers as names would come before all other properties, in the order of their values. */
const isIndex = (name: string): boolean => /^\d+$/.test(name);

/** Puts a member under a name, as an entry where the module is a container or the name a number, else as a property. */
export function setMember(module: Module, name: string, member: Member | null): void {
  const { entries } = module[STATE];
  if (entries.has(name) || isIndex(name)) entries.set(name, member);
  else (module as unknown as Record<string, unknown>)[name] = member;
}
