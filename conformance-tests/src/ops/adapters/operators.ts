/** @file Python's reflected operators and attributes: `2 + x` is `x.__radd__(2)`, which is a call of `add` here. */
import { isTensor, type Tensor, tensor } from '@tessera/core';
import { Skip } from '../../check/skip.js';
import type { Adapter, Adapters } from './adapter.js';

/** `other op self` as a call of a function of two operands; a number on the left is a 0-d tensor here. */
const reflected =
  (name: string): Adapter =>
  ({ library, subject, args: [self, other] }) => {
    const left = isTensor(other)
      ? other
      : tensor(other as number, { device: subject.device, dtype: Number.isInteger(other) && integral(self) ? 'int32' : 'float32' });
    return library.fn(name)(left, self);
  };

const integral = (x: unknown): boolean => isTensor(x) && !x.isFloatingPoint();

/** An attribute, a getter in our Tensor. */
const attribute =
  (name: string): Adapter =>
  ({ args: [x] }) => {
    if (!(name in (x as Tensor))) throw new Skip('missing', `Tensor.${name} does not exist yet`);
    return (x as unknown as Record<string, unknown>)[name];
  };

export const OPERATORS: Adapters = {
  __radd__: reflected('add'),
  __rsub__: reflected('sub'),
  __rmul__: reflected('mul'),
  __rdiv__: reflected('div'),
  __rmod__: reflected('remainder'),
  __rpow__: reflected('pow'),
  __rmatmul__: reflected('matmul'),
  __rand__: reflected('bitwiseAnd'),
  __ror__: reflected('bitwiseOr'),
  __rxor__: reflected('bitwiseXor'),
  H: attribute('H'),
  T: attribute('T'),
  mH: attribute('mH'),
  mT: attribute('mT'),
};
