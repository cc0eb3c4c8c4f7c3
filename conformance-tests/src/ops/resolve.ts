/** @file From PyTorch's name of an op to a call of ours. */
import type { OpManifest } from '../fixtures/index.js';
import type { Subject } from '../subject/subject.js';
import type { Tensor } from '@tessera/core';
import { ADAPTERS } from './adapters/index.js';
import { OPERATORS } from './adapters/operators.js';
import { bind, camelCase, parseSignature, type Signature, spread } from './signature.js';
import { CORE_SIGNATURES } from './signatures/core.js';
import { FUNCTIONAL_SIGNATURES } from './signatures/functional.js';

const SIGNATURES = new Map(
  [...CORE_SIGNATURES, ...FUNCTIONAL_SIGNATURES].map(parseSignature).map((signature) => [signature.path, signature]),
);

/** Python's arguments, converted. */
export interface Given {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}
export type Form = (given: Given) => unknown;

/** The forms in which an op can be called; undefined where it has none. */
export interface OpForms {
  /** As a function, or in whatever way there is. */
  readonly call: Form;
  /** As a method of the first argument, where that is another way than `call`. */
  readonly method: Form | undefined;
  /** In place, on the first argument. */
  readonly inPlace: Form | undefined;
  /** It is an op of two operands, one of which may be a number. */
  readonly operands: boolean;
  /** What PyTorch's random numbers were seeded with just before each call, where that is not the seed of the case. */
  readonly seed: number | undefined;
  /** What `call` is, for people. */
  readonly name: string;
}

/** How to call the op of a manifest. Whether the functions exist is found out by the call. */
export function resolve(manifest: OpManifest, subject: Subject): OpForms {
  const { library } = subject;
  const { op } = manifest;
  const path = pathOf(manifest);
  const adapter = ADAPTERS[op] ?? ADAPTERS[torchName(manifest)];
  const signature = SIGNATURES.get(path);
  const args = ({ args, kwargs }: Given): unknown[] =>
    toOurs(signature, args, isRandom(manifest) ? withTorchNoise(signature, kwargs) : kwargs);
  const inPlace =
    manifest.inplace_method && /^\w+_$/.test(manifest.inplace_method) ? camelCase(manifest.inplace_method.slice(0, -1)) + '_' : undefined;
  const onFirst =
    (methodName: string): Form =>
    (given) => {
      const [x, ...rest] = args(given);
      return library.method(x as Tensor, methodName)(...rest);
    };
  // What must read values to know a shape has an Async form, which is the one there is without synchronous reads.
  const plain = candidatesFor(path);
  const awaited = !adapter && !subject.device.syncRead && plain.some((candidate) => library.has(`${candidate}Async`));
  const candidates = awaited ? plain.map((candidate) => `${candidate}Async`) : plain;
  const name = `${path.split('.').at(-1)!}${awaited ? 'Async' : ''}`;
  const isMethod = manifest.method === true && library.hasMethod(name);
  const isFunction = candidates.some((candidate) => library.has(candidate));
  return {
    operands: manifest.kind === 'BinaryUfuncInfo' || op in OPERATORS,
    seed: isRandom(manifest) && manifest.call === null ? SEED_OF_WRAPPED : undefined,
    name: adapter ? op : isFunction ? candidates.find((candidate) => library.has(candidate))! : isMethod ? `Tensor.${name}` : path,
    call: adapter
      ? (given) => adapter({ library, subject, ...given })
      : !isFunction && isMethod
        ? onFirst(name)
        : (given) => library.fn(...candidates)(...args(given)),
    method: adapter || !isMethod || !isFunction ? undefined : onFirst(name),
    inPlace: inPlace !== undefined && library.hasMethod(inPlace) && (!adapter || op in IN_PLACE_AS_SIGNED) ? onFirst(inPlace) : undefined,
  };
}

/**
 * PyTorch's op list calls its random ops through a lambda (so that the data name no function, `call` is null), and that one seeds with 42 before
 * it calls: torch.testing._internal, wrapper_set_seed. The seed that the case was given has no effect then.
 */
const SEED_OF_WRAPPED = 42;

/** Ops that draw random numbers, and that the data do not mark because most of their calls draw none. */
const RANDOM: ReadonlySet<string> = new Set(['nn.functional.scaled_dot_product_attention', 'nn.functional.multi_head_attention_forward']);

const isRandom = ({ op, random }: OpManifest): boolean => random || RANDOM.has(op);

/** Ops that have an adapter for their function form only. */
const IN_PLACE_AS_SIGNED: Readonly<Record<string, true>> = { index_put: true };

function toOurs(signature: Signature | undefined, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): unknown[] {
  const used = signature ?? { path: '', positional: args.map((_, i) => `argument${i}`), options: [], rest: false };
  return spread(used, bind(used, args, kwargs));
}

/** Random ops draw as PyTorch does where they can draw in several ways. */
function withTorchNoise(signature: Signature | undefined, kwargs: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return signature?.options.includes('rng') ? { ...kwargs, rng: 'torch' } : kwargs;
}

/** PyTorch's name without `torch.` and without what tells variants apart, such as `nn.functional.conv1d` or `std`. */
export function torchName({ op, call }: OpManifest): string {
  if (op.startsWith('nn.functional.')) return op.split('.').slice(0, 3).join('.');
  if (call) return call.replace(/^torch\./, '').replace(/^Tensor\./, '');
  return op;
}

/** Where our function should be. */
function pathOf(manifest: OpManifest): string {
  const parts = torchName(manifest).split('.').map(camelCase);
  return parts[0] === 'nn' ? ['F', ...parts.slice(2)].join('.') : parts.join('.');
}

/** Where to look for it, the proper place first: F's functions may be core's, linalg's and special's may be plain ones. */
function candidatesFor(path: string): string[] {
  const name = path.split('.').at(-1)!;
  return path.includes('.') ? [path, name] : [path, `F.${path}`];
}
