/** @file docs/conformance-faults.md: each backend that is wrong on purpose, the case that fails on it, and what that says. */
import type { FailedCase } from '../../src/index.js';
import { ACCELERATED_FAULTS } from './faults/accelerated-faults.js';
import type { Faults } from './faults/index.js';
import { KERNEL_FAULTS } from './faults/kernel-faults.js';
import { MEMORY_FAULTS } from './faults/memory-faults.js';
import { POINTWISE_FAULTS } from './faults/pointwise-faults.js';

const GROUPS: readonly (readonly [title: string, faults: Faults])[] = [
  ['Memory, claims and order', MEMORY_FAULTS],
  ['Views, programs and opcodes', POINTWISE_FAULTS],
  ['The other kernels that are required', KERNEL_FAULTS],
  ['Accelerated kernels', ACCELERATED_FAULTS],
];

/** The first line of a message, without figures that another machine may have otherwise in their last places. */
const firstLine = (message: string): string => {
  const [line] = message.split('\n');
  const plain = line.replaceAll(/-?\d+\.\d{7,}(e[+-]\d+)?/g, (number) => String(Number(Number(number).toPrecision(7))));
  return (plain.length > 150 ? `${plain.slice(0, 149)}…` : plain).replaceAll('|', '\\|').replaceAll('<', '&lt;');
};

export function faultsPage(faults: Faults, caught: ReadonlyMap<string, FailedCase>): string {
  const lines = [
    '# Faults that the kit finds',
    '',
    'Made by `npm run docs:faults`; do not edit it by hand. Does a kit that everybody passes prove anything? Each of these',
    `${Object.keys(faults).length} backends is the CPU backend with one fault, such as backends really have (conformance-tests/test/support/faults). The tests`,
    'run each of them and see the case fail that stands beside it, and none of these cases fails on the sound backend.',
  ];
  for (const [title, group] of GROUPS) {
    lines.push('', `## ${title}`, '', '| what is wrong | caught by | what the kit says |', '| --- | --- | --- |');
    for (const [name, { caughtBy }] of Object.entries(group))
      lines.push(`| ${name} | \`${caughtBy}\` | ${firstLine(caught.get(name)!.message)} |`);
  }
  return `${lines.join('\n')}\n`;
}
