/** @file Dependencies of published packages are few, under licences that a product can live with, and listed in docs/licences.md. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ALLOWED, dependencies, licencesPage } from '../scripts/licences/licences.js';

const list = dependencies(join(import.meta.dirname, '..'));

it('docs/licences.md is up to date (else: npm run docs:licences)', async () => {
  await expect(licencesPage(list)).toMatchFileSnapshot('../docs/licences.md');
});

it('every licence is one that is allowed', () => {
  expect(list.filter(({ licence }) => !ALLOWED.includes(licence))).toEqual([]);
  expect(list.length).toBeGreaterThan(3);
});
