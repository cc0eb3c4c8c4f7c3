/**
 * @file docs/pytorch.md, made from the code and from PyTorch's own list of its public names (conformance-tests/reference/surface.json):
 * `npm run docs:pytorch`. A name counts as there if an export or a method of that name exists.
 */
import { BY_TYPE, DIFFERS, LEFT_OUT, RENAMED, WHOLE } from './notes.js';

/** PyTorch's public names by group, each with its signature. */
export interface Surface {
  readonly torch: string;
  readonly groups: Readonly<Record<string, { readonly members: Readonly<Record<string, unknown>> | readonly string[] }>>;
}

/** Something with names on it: a module's exports, or a prototype. */
export interface Place {
  /** Shown before the name, such as `nn.`. */
  readonly prefix: string;
  readonly object: object;
}

interface Area {
  readonly title: string;
  /** Of the surface. */
  readonly groups: readonly string[];
  readonly places: readonly Place[];
}

export type Places = Readonly<
  Record<
    | 'torch'
    | 'tensor'
    | 'linalg'
    | 'special'
    | 'nn'
    | 'F'
    | 'init'
    | 'utils'
    | 'rnn'
    | 'parametrizations'
    | 'parametrize'
    | 'prune'
    | 'module'
    | 'optim'
    | 'optimizer'
    | 'lrScheduler'
    | 'data'
    | 'autograd'
    | 'autogradFunction'
    | 'functionContext'
    | 'swaUtils'
    | 'functional'
    | 'func',
    Place
  >
>;

export const camelCase = (name: string): string => name.replaceAll(/(?<=[^_])_+([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase());

const membersOf = (surface: Surface, group: string): string[] => {
  const { members } = surface.groups[group] ?? { members: [] };
  return Array.isArray(members) ? [...(members as readonly string[])] : Object.keys(members);
};

/** Our name of something, with its place; null where there is none. */
function find(name: string, places: readonly Place[]): string | null {
  // Ours first: Python's spelling of a name is there too, and only says so.
  const candidates = [camelCase(name), RENAMED[name], name].filter((c) => c !== undefined);
  for (const candidate of candidates)
    for (const { prefix, object } of places) if (reaches(object, candidate)) return `${prefix}${candidate}`;
  return null;
}

/** Is a name there only to say what it is here (core's renamed.ts)? */
function isRefused(object: object, name: string): boolean {
  for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const own = Object.getOwnPropertyDescriptor(at, name);
    if (own !== undefined) return own.get?.name === 'refused';
  }
  return false;
}

function reaches(object: object, path: string): boolean {
  let at: unknown = object;
  for (const part of path.split('.')) {
    if ((typeof at !== 'object' && typeof at !== 'function') || at === null || !(part in at) || isRefused(at, part)) return false;
    // Getters of a prototype have no object to run on.
    at = Object.getOwnPropertyDescriptor(at, part)?.value ?? (path.includes('.') ? (at as Record<string, unknown>)[part] : true);
  }
  return true;
}

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

interface Row {
  readonly name: string;
  readonly ours: readonly string[];
}

function rowText({ name, ours }: Row): string {
  if (ours.length === 0) {
    const reason = LEFT_OUT.find(([pattern]) => pattern.test(name))?.[1] ?? 'not written yet';
    return row([`\`${name}\``, '', 'no', reason]);
  }
  const note = DIFFERS[name];
  return row([`\`${name}\``, ours.map((o) => `\`${o}\``).join(', '), note === undefined ? 'yes' : 'differs', note ?? '']);
}

const HEAD = [row(['PyTorch', 'Tessera', 'status', 'notes']), row(['---', '---', '---', '---'])];

function section(title: string, rows: readonly Row[]): string {
  const there = rows.filter((r) => r.ours.length > 0).length;
  return [`## ${title}`, '', `${there} of ${rows.length}.`, '', ...HEAD, ...rows.map(rowText), ''].join('\n');
}

/** Functions of torch and methods of its tensors, a row for each name: function, method, in-place method. */
function operations(surface: Surface, places: Places): string {
  const names = new Set<string>(
    ['torch functions (public, overridable = ops on tensors)', 'Tensor methods'].flatMap((group) => membersOf(surface, group)),
  );
  const inPlace = new Set(membersOf(surface, 'Tensor in-place methods'));
  for (const name of inPlace) if (!names.has(name.slice(0, -1))) names.add(name);
  const { torch, tensor, F, linalg, special } = places;
  const rows = [...names].sort().map((name): Row => {
    const found = [
      find(name, [torch, F, linalg, special]),
      find(name, [tensor]),
      inPlace.has(`${name}_`) ? find(`${name}_`, [tensor]) : null,
    ];
    return { name, ours: found.filter((f) => f !== null) };
  });
  return section('Operations and Tensor methods', rows);
}

function areas(p: Places): readonly Area[] {
  return [
    { title: 'Tensor attributes', groups: ['Tensor attributes'], places: [p.tensor] },
    {
      title: 'Creation and utilities',
      groups: ['torch creation and utility functions (not overridable)'],
      places: [p.torch, p.autograd, p.func],
    },
    { title: 'torch.linalg', groups: ['torch.linalg'], places: [p.linalg, p.torch] },
    { title: 'torch.special', groups: ['torch.special'], places: [p.special, p.torch] },
    { title: 'nn.Module', groups: ['nn.Module methods'], places: [p.module] },
    { title: 'nn', groups: ['nn classes'], places: [p.nn] },
    { title: 'nn.functional', groups: ['nn.functional'], places: [p.F] },
    { title: 'nn.init', groups: ['nn.init'], places: [p.init] },
    { title: 'nn.utils', groups: ['nn.utils'], places: [p.utils] },
    { title: 'nn.utils.rnn', groups: ['nn.utils.rnn'], places: [p.rnn] },
    { title: 'nn.utils.parametrize', groups: ['nn.utils.parametrize'], places: [p.parametrize] },
    { title: 'nn.utils.parametrizations', groups: ['nn.utils.parametrizations'], places: [p.parametrizations] },
    { title: 'nn.utils.prune', groups: ['nn.utils.prune'], places: [p.prune] },
    { title: 'optim', groups: ['optim'], places: [p.optim] },
    { title: 'optim.Optimizer', groups: ['optim.Optimizer methods'], places: [p.optimizer] },
    { title: 'optim.lr_scheduler', groups: ['optim.lr_scheduler'], places: [p.lrScheduler, p.optim] },
    { title: 'optim.swa_utils', groups: ['optim.swa_utils'], places: [p.swaUtils] },
    { title: 'utils.data', groups: ['utils.data'], places: [p.data] },
    { title: 'autograd', groups: ['torch.autograd'], places: [p.autograd, p.torch] },
    { title: 'autograd.Function', groups: ['torch.autograd.Function'], places: [p.autogradFunction, p.functionContext] },
    { title: 'autograd.functional', groups: ['torch.autograd.functional'], places: [p.functional, p.autograd] },
    { title: 'func', groups: ['torch.func'], places: [p.func, p.functional, p.autograd, p.torch] },
    { title: 'amp', groups: ['torch.amp'], places: [p.torch, p.autograd] },
  ];
}

/** The whole page. */
export function pytorchTable(surface: Surface, places: Places): string {
  const sections = areas(places).map(({ title, groups, places: where }) =>
    section(
      title,
      groups
        .flatMap((group) => membersOf(surface, group))
        .map((name): Row => ({ name, ours: [find(name, where) ?? BY_TYPE[`${title}/${name}`]].filter((f) => f !== undefined) })),
    ),
  );
  return [
    '# From PyTorch',
    '',
    `Every public name of PyTorch ${surface.torch.split('+')[0]}, and what it is called here. Made by \`npm run docs:pytorch\`; do not edit it by hand.`,
    '',
    'Names are PyTorch’s in camelCase; classes and keys of state_dicts are unchanged. Required arguments come in PyTorch’s order, the others go into an',
    'options object. **differs**: it is there, and the note says what is not as in PyTorch. **no**: it is not there, and the note says why.',
    '',
    operations(surface, places),
    ...sections,
    '## Left out whole',
    '',
    row(['PyTorch', 'why']),
    row(['---', '---']),
    ...WHOLE.map(([area, reason]) => row([area, reason])),
    '',
  ].join('\n');
}
