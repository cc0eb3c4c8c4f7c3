/** @file The system's OpenBLAS, called through koffi. */
import { createRequire } from 'node:module';

/** Rows of a matrix, each `ld` elements from the next; or columns, where `transposed`. `data` begins at its first element. */
export interface Operand {
  readonly data: Float32Array | Float64Array;
  readonly ld: number;
  readonly transposed: boolean;
}

/** What is used of koffi. */
interface Koffi {
  load(name: string): { func(signature: string): (...args: readonly unknown[]) => unknown };
}

const ROW_MAJOR = 101;
const AS_IT_IS = 111;
const TRANSPOSED = 112;

export class OpenBlas {
  readonly #sgemm: (...args: readonly unknown[]) => unknown;
  readonly #dgemm: (...args: readonly unknown[]) => unknown;
  /** Such as `OpenBLAS 0.3.21 … Haswell`. */
  readonly config: string;
  readonly setThreads: (threads: number) => void;

  private constructor(koffi: Koffi, name: string) {
    const library = koffi.load(name);
    const gemm = (letter: string, type: string): ((...args: readonly unknown[]) => unknown) =>
      library.func(
        `void cblas_${letter}gemm(int order, int ta, int tb, int m, int n, int k, ${type} alpha, const ${type} *a, int lda, const ${type} *b, int ldb, ${type} beta, ${type} *c, int ldc)`,
      );
    this.#sgemm = gemm('s', 'float');
    this.#dgemm = gemm('d', 'double');
    this.config = String(library.func('const char *openblas_get_config()')());
    this.setThreads = library.func('void openblas_set_num_threads(int n)') as (threads: number) => void;
  }

  /**
   * Finds the library: where OPENBLAS_LIBRARY says, or under the names that systems give it.
   * @throws Error with what was tried.
   */
  static load(named: string | undefined = process.env['OPENBLAS_LIBRARY']): OpenBlas {
    let koffi: Koffi;
    try {
      koffi = createRequire(import.meta.url)('koffi') as Koffi;
    } catch (cause) {
      throw new Error(`koffi, which calls the library, does not load: ${messageOf(cause)}`, { cause });
    }
    const names = named === undefined ? NAMES : [named];
    const failures: string[] = [];
    for (const name of names) {
      try {
        return new OpenBlas(koffi, name);
      } catch (error) {
        failures.push(`${name}: ${messageOf(error)}`);
      }
    }
    throw new Error(`there is no OpenBLAS (on Debian: apt-get install libopenblas0); ${failures.join('; ')}`);
  }

  /** c (m, n) = a (m, k) · b (k, n) + beta · c, with c in rows of `ldc`. */
  gemm(m: number, n: number, k: number, a: Operand, b: Operand, beta: 0 | 1, c: Float32Array | Float64Array, ldc: number): void {
    const call = c instanceof Float64Array ? this.#dgemm : this.#sgemm;
    const order = (x: Operand): number => (x.transposed ? TRANSPOSED : AS_IT_IS);
    call(ROW_MAJOR, order(a), order(b), m, n, k, 1, a.data, a.ld, b.data, b.ld, beta, c, ldc);
  }
}

const NAMES: readonly string[] = ['libopenblas.so.0', 'libopenblas.so', 'libopenblas.dylib', 'libopenblas.dll'];
const messageOf = (error: unknown): string => (error instanceof Error ? error.message.split('\n')[0]! : String(error));
