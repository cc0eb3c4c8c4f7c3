/** @file A module as text, line for line as PyTorch prints it. */
import { ownChildren } from './members.js';
import type { Module } from './module.js';

/** The class's name: its own static `typeName`, which minifying leaves alone, or what it was declared as. */
export function typeNameOf(module: Module): string {
  const type = module.constructor as { readonly name: string; readonly typeName?: string };
  return Object.hasOwn(type, 'typeName') ? type.typeName! : type.name;
}

const indent = (text: string): string => text.replaceAll('\n', '\n  ');

export function repr(module: Module): string {
  const extra = module.extraRepr();
  const lines = extra === '' ? [] : extra.split('\n');
  const children = ownChildren(module);
  const name = typeNameOf(module);
  if (lines.length === 0 && children.length === 0) return `${name}()`;
  if (lines.length === 1 && children.length === 0) return `${name}(${lines[0]})`;
  return `${name}(\n  ${[...lines, ...children.map(([key, child]) => `(${key}): ${indent(child.toString())}`)].join('\n  ')}\n)`;
}
