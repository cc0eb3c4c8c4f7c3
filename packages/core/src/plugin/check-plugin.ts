/**
 * @file Is it a plugin, a provider, a backend? What they are written in may have no compiler, and casts silence one; each fault is said here, in words
 * and all at once, before it becomes a TypeError in the middle of a program.
 */
import { type Backend, type Capabilities, KERNEL_DTYPES } from '../backend/contract.js';
import { DeviceError } from '../errors.js';
import { didYouMean } from '../suggest.js';
import { DTYPES, isDType } from '../tensor/dtype.js';
import type { Availability, BackendProvider, Plugin } from './plugin.js';
import { pluginChecks } from './plugin-checks.js';

type Loose<T> = { readonly [K in keyof T]?: unknown };

const kindOf = (x: unknown): string =>
  x === null ? 'null' : Array.isArray(x) ? 'an array' : typeof x === 'object' ? 'an object' : typeof x;
/** A value as it would be written, or what it is. */
const textOf = (x: unknown): string => (typeof x === 'string' ? `'${x}'` : kindOf(x));
const isObject = (x: unknown): x is object => (typeof x === 'object' && x !== null) || typeof x === 'function';
/** `x must be a string, and is undefined` */
const wrong = (what: string, wanted: string, x: unknown): string => `${what} must be ${wanted}, and is ${kindOf(x)}`;

function pluginFaults(plugin: unknown): string[] {
  if (!isObject(plugin)) return [wrong('a plugin', 'an object { name, version, contract, register }', plugin)];
  const { name, contract, register } = plugin as Loose<Plugin>;
  return [
    ...(typeof name === 'string' ? [] : [wrong('name', 'a string', name)]),
    ...(typeof contract === 'number' ? [] : [wrong('contract', 'the number of the contract that it was written for', contract)]),
    ...(typeof register === 'function' ? [] : [wrong('register', 'a function of { container, core }', register)]),
  ];
}

function requireProvider(provider: unknown, plugin: string): void {
  const { id, priority, isAvailable, create } = (isObject(provider) ? provider : {}) as Loose<BackendProvider>;
  const faults = [
    ...(typeof id === 'string' && id !== '' ? [] : [wrong('id', 'a string', id)]),
    ...(typeof priority === 'number' ? [] : [wrong('priority', 'a number', priority)]),
    ...(typeof isAvailable === 'function' ? [] : [wrong('isAvailable', 'a function', isAvailable)]),
    ...(typeof create === 'function' ? [] : [wrong('create', 'a function that makes the backend', create)]),
  ];
  if (faults.length === 0) return;
  throw new DeviceError('ERR_PLUGIN', `plugin '${plugin}' registered what is no backend provider: ${faults.join('; ')}`);
}

function availability(answer: unknown): Availability {
  const { available, reason } = (isObject(answer) ? answer : {}) as { readonly available?: unknown; readonly reason?: unknown };
  if (available === true) return answer as Availability;
  if (available === false) return { available, reason: typeof reason === 'string' ? reason : 'it gives no reason' };
  const given = isObject(answer) ? 'no such object' : String(answer);
  return { available: false, reason: `its isAvailable() gave ${given}, not { available: true } or { available: false, reason: '…' }` };
}

const METHODS = ['allocate', 'free', 'write', 'read', 'synchronize', 'memory', 'dispose'] as const;
const LIMITS = ['maxBuffers', 'maxBufferBytes', 'maxInstructions'] as const;

function requireBackend(backend: unknown, id: string): void {
  const faults = isObject(backend) ? backendFaults(backend, id) : [`its create() gave ${kindOf(backend)}`];
  if (faults.length > 0) throw new DeviceError('ERR_PLUGIN', `backend '${id}' is no whole backend: ${faults.join('; ')}`, { device: id });
}

function backendFaults(backend: Loose<Backend>, id: string): string[] {
  const faults = METHODS.filter((name) => typeof backend[name] !== 'function').map((name) => `there is no ${name}()`);
  if (backend.id !== id) faults.push(`its id is ${textOf(backend.id)}, and its provider's is '${id}'`);
  const { kernels, capabilities } = backend;
  const has = (kernel: string): boolean =>
    isObject(kernels) && typeof (kernels as Readonly<Record<string, unknown>>)[kernel] === 'function';
  const lacking = Object.keys(KERNEL_DTYPES).filter((kernel) => !has(kernel));
  if (lacking.length > 0) faults.push(`its kernels lack ${lacking.join(', ')}`);
  if (!isObject(capabilities)) return [...faults, 'there are no capabilities'];
  const { dtypes, syncRead, ...limits } = capabilities as Loose<Capabilities>;
  for (const limit of LIMITS) if (typeof limits[limit] !== 'number') faults.push(wrong(`capabilities.${limit}`, 'a number', limits[limit]));
  if (syncRead === true && typeof backend.readSync !== 'function') faults.push('capabilities.syncRead is true, and there is no readSync()');
  if (!Array.isArray(dtypes)) return [...faults, wrong('capabilities.dtypes', 'a list of dtypes', dtypes)];
  const unknown = dtypes.find((dtype) => !isDType(dtype)) as unknown;
  if (unknown !== undefined)
    faults.push(
      `capabilities.dtypes has ${textOf(unknown)}, which is no dtype${didYouMean(unknown, DTYPES).replace(/^\. (.*)$/, ' ($1)')}`,
    );
  return faults;
}

function instead(exported: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(exported);
  const near = names.find((name) => typeof (exported[name] as Partial<Plugin> | null | undefined)?.register === 'function');
  if (near !== undefined) return `of its '${near}' ${pluginFaults(exported[near]).join('; ')}`;
  const backend = names.find((name) => typeof (exported[name] as Partial<Backend> | null | undefined)?.allocate === 'function');
  if (backend !== undefined) return `its '${backend}' is a backend, which a plugin's provider has to make`;
  return names.length > 0 ? `it exports ${names.join(', ')}` : 'it exports nothing';
}

pluginChecks.all = { faults: pluginFaults, instead, provider: requireProvider, availability, backend: requireBackend };
