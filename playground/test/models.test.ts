/** @file The models that the page brings. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { manualSeed, type nn, type Tensor, zeros } from 'tessera';
import { describe, expect, it } from 'vitest';
import { MODELS } from '../src/models/classes.js';
import { SOURCES } from '../src/models/sources.js';

const read = (path: string): Promise<string> => readFile(join(import.meta.dirname, '../..', path), 'utf8');

describe('models', () => {
  it('run as they read: each source has its class', () => {
    expect(SOURCES.map(({ id }) => id)).toEqual(Object.keys(MODELS));
    for (const { id, source } of SOURCES) expect(source).toContain(`export class ${MODELS[id]!.name} extends nn.Module`);
  });

  it.each(Object.keys(MODELS))('%s gives ten scores an image', (id) => {
    manualSeed(0);
    const model = new MODELS[id]!() as nn.Module & ((x: Tensor) => Tensor);
    expect(model(zeros(3, 1, 28, 28)).shape).toEqual([3, 10]);
  });

  it('have the CNN of the example program, word for word', async () => {
    const classOf = (text: string): string => /export class CNN [^]*?\n\}\n/.exec(text)![0];
    expect(classOf(await read('playground/src/models/cnn.ts'))).toBe(classOf(await read('examples/train-digits/model.ts')));
  });
});
