/** @file Tensors that a file of the data names, in place of numbering them. */
import { FormatError } from '@tessera/core';
import { decodeTensor, type TensorTable, type TensorValue } from '../fixtures/index.js';

/** @throws FormatError ERR_FIXTURE_TENSOR */
export function namedTensor(name: string, tensors: TensorTable): TensorValue {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new FormatError('ERR_FIXTURE_TENSOR', `the fixture has no tensor ${name}`);
  return decodeTensor(0, new Map([['t0', tensor]]));
}
