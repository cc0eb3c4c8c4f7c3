/** @file What both forms of a reduction share: the function around them. */
import { DTYPE_INFO, type DType, type Program } from '@tessera/core/backend';
import { i32, type Local } from '../assembler/index.js';
import type { Kernel, Machine } from '../machine/machine.js';
import { MathLibrary } from '../math/library.js';
import { ArgumentLayout } from './argument-layout.js';
import { ProgramCode } from './program-code.js';
import { ReduceColumns } from './reduce-columns.js';
import { ReduceRows } from './reduce-rows.js';
import type { Reduction } from './reductions.js';
import { type ReduceForm, SCRATCH, SCRATCH_STRIDE } from './reduce-form.js';

export interface CompiledReduce {
  readonly kernel: Kernel;
  readonly layout: ArgumentLayout;
  /** Bytes of accumulators for a column. */
  readonly columnBytes: number;
}

export function compileReduce(machine: Machine, program: Program, reduction: Reduction, output: DType, form: ReduceForm): CompiledReduce {
  const layout = new ArgumentLayout(program, form.rank, [DTYPE_INFO[output].size]);
  const module = machine.newModule();
  const lib = new MathLibrary(module, machine.fma, machine.functions);
  const inner = form.column >= 0 ? form.column : form.reduced.at(-1)!;
  let columnBytes = 0;
  module.function(
    'run',
    { args: 'i32', begin: 'i32', end: 'i32', thread: 'i32' },
    'void',
    (f, { args, begin, end, thread }) => {
      const code = new ProgramCode(f, lib, program, layout, args, form.classes, inner);
      if (form.column >= 0) {
        const columns = new ReduceColumns(f, code, reduction, output, form);
        columnBytes = columns.columnBytes;
        columns.emit(begin, end, scratchOf(thread));
      } else new ReduceRows(f, code, reduction, output, form).emit(begin, end);
      function scratchOf(number: Local<'i32'>): Local<'i32'> {
        return f.local('i32', i32.add(layout.head(args, SCRATCH), i32.mul(number, layout.head(args, SCRATCH_STRIDE))));
      }
    },
    { export: true },
  );
  return {
    kernel: machine.compile(module).kernel('run'),
    layout,
    columnBytes,
  };
}
