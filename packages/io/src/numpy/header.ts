/** @file The header of a .npy file: a Python dict of a text, a bool and a tuple of whole numbers, and nothing else. */
import { FormatError, NotSupportedError } from '@tessera/core';

export interface NpyHeader {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: number[];
}

const TOKEN = /\s*(?:'([^'\\]*)'|"([^"\\]*)"|(True|False)|(\d{1,16})L?|([{}(),:[\]]))/y;

/**
 * @throws FormatError ERR_NPY when it is anything else; NotSupportedError ERR_NPY_DTYPE for records, whose `descr` is a list.
 */
export function parseNpyHeader(text: string, name: string): NpyHeader {
  const tokens = tokenize(text, name);
  let at = 0;
  const fail = (): never => {
    throw new FormatError('ERR_NPY', `${name}: its header is not that of an array: ${JSON.stringify(text.slice(0, 80))}`);
  };
  const expect = (mark: string): void => {
    if (tokens[at++] !== mark) fail();
  };
  let descr: string | undefined;
  let fortranOrder: boolean | undefined;
  let shape: number[] | undefined;
  expect('{');
  while (tokens[at] !== '}') {
    const key = tokens[at++];
    expect(':');
    const value = tokens[at++];
    if (key instanceof Quoted && key.text === 'descr' && value === '[')
      throw new NotSupportedError('ERR_NPY_DTYPE', `${name}: an array of records, which no dtype of the framework holds`);
    if (key instanceof Quoted && key.text === 'descr' && value instanceof Quoted && descr === undefined) descr = value.text;
    else if (key instanceof Quoted && key.text === 'fortran_order' && typeof value === 'boolean' && fortranOrder === undefined)
      fortranOrder = value;
    else if (key instanceof Quoted && key.text === 'shape' && value === '(' && shape === undefined) {
      shape = [];
      while (tokens[at] !== ')') {
        const size = tokens[at++];
        if (typeof size !== 'number' || !Number.isSafeInteger(size) || shape.length >= 64) return fail();
        shape.push(size);
        if (tokens[at] !== ')') expect(',');
      }
      at++;
    } else return fail();
    if (tokens[at] !== '}') expect(',');
  }
  if (at !== tokens.length - 1 || descr === undefined || fortranOrder === undefined || shape === undefined) return fail();
  return { descr, fortranOrder, shape };
}

class Quoted {
  constructor(readonly text: string) {}
}

function tokenize(text: string, name: string): (string | number | boolean | Quoted)[] {
  const tokens: (string | number | boolean | Quoted)[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const m = TOKEN.exec(text);
    if (m === null) throw new FormatError('ERR_NPY', `${name}: its header is not that of an array: ${JSON.stringify(text.slice(0, 80))}`);
    const quoted = m[1] ?? m[2];
    if (quoted !== undefined) tokens.push(new Quoted(quoted));
    else if (m[3] !== undefined) tokens.push(m[3] === 'True');
    else if (m[4] !== undefined) tokens.push(Number(m[4]));
    else tokens.push(m[5]!);
  }
  return tokens;
}
