/** @file Small programs for the suites. */
import {
  type ComputeDType,
  type DType,
  DTYPE_INFO,
  type Instruction,
  makeProgram,
  type Opcode,
  type Program,
  resultDType,
} from '@tessera/core';

export const computeOf = (dtype: DType): ComputeDType => DTYPE_INFO[dtype].compute;

/** One opcode applied to inputs. */
export function opcodeProgram(op: Opcode, inputs: readonly DType[], castTo?: ComputeDType, dim?: number): Program {
  const args = inputs.map((_, i) => i);
  const first = op === 'index' ? 'int32' : computeOf(inputs[op === 'where' ? 1 : 0]);
  const dtype = resultDType(op, first, castTo);
  const instruction: Instruction = { op, dtype, args: op === 'index' ? [] : args, ...(dim !== undefined && { dim }) };
  return makeProgram({ inputs, scalars: [], instructions: [instruction], outputs: [{ register: inputs.length, dtype }] });
}

/** The input itself, in the dtype that it is computed in. */
export function identityProgram(dtype: DType, output: DType = computeOf(dtype)): Program {
  return makeProgram({ inputs: [dtype], scalars: [], instructions: [], outputs: [{ register: 0, dtype: output }] });
}

/** x0 · s0 + x1, and x0 − x1 as a second output: floats or int32. */
export function twoOutputProgram(dtype: DType): Program {
  const compute = computeOf(dtype);
  return makeProgram({
    inputs: [dtype, dtype],
    scalars: [compute],
    instructions: [
      { op: 'mul', dtype: compute, args: [0, 2] },
      { op: 'add', dtype: compute, args: [3, 1] },
      { op: 'sub', dtype: compute, args: [0, 1] },
    ],
    outputs: [
      { register: 4, dtype: compute },
      { register: 5, dtype: compute },
    ],
  });
}
