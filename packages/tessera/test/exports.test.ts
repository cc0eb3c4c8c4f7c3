/** @file What `tessera` shows of the core: what models are made of, and nothing that only layers, optimizers and backends stand on. */
import * as core from '@tessera/core';
import { expect, it } from 'vitest';
import * as tessera from '../src/index.js';
import * as internals from '../../core/src/internals.js';
import * as user from '../../core/src/public.js';

it('has all that models are made of, and of the rest nothing', () => {
  const ofUsers = new Set(Object.keys(user));
  expect(Object.keys(tessera)).toEqual(expect.arrayContaining([...ofUsers]));
  const hidden = Object.keys(internals).filter((name) => !ofUsers.has(name));
  expect(hidden).toContain('makeProgram');
  expect(Object.keys(tessera).filter((name) => hidden.includes(name))).toEqual([]);
});

it('is in @tessera/core whole', () => {
  const there = new Set(Object.keys(core));
  expect([...Object.keys(user), ...Object.keys(internals)].filter((name) => !there.has(name))).toEqual([]);
});
