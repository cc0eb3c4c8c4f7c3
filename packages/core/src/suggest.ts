/** @file "Did you mean …?": the known name that a wrong one is nearest to, for the end of an error's message. */

/** Names that people bring from elsewhere, in small letters and without `_`, `-` and `.`, and what they are here: the first that is known counts. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  // devices
  cuda: ['webgpu', 'wasm'],
  'cuda:0': ['webgpu', 'wasm'],
  gpu: ['webgpu', 'wasm'],
  mps: ['webgpu', 'wasm'],
  webgl: ['webgpu', 'wasm'],
  js: ['cpu'],
  webassembly: ['wasm'],
  // dtypes
  float: ['float32'],
  single: ['float32'],
  f32: ['float32'],
  torchfloat32: ['float32'],
  double: ['float64'],
  f64: ['float64'],
  half: ['float16'],
  f16: ['float16'],
  bf16: ['bfloat16'],
  int: ['int32'],
  long: ['int32'],
  int64: ['int32'],
  torchlong: ['int32'],
  torchint64: ['int32'],
  i32: ['int32'],
  byte: ['uint8'],
  boolean: ['bool'],
  // options
  learningrate: ['lr'],
  beta1: ['betas'],
  beta2: ['betas'],
  epsilon: ['eps'],
  l2: ['weightDecay'],
  decay: ['weightDecay'],
  bs: ['batchSize'],
  batch: ['batchSize'],
  backend: ['device'],
  backends: ['plugins'],
};

/** `weight_decay`, `weightDecay` and `Weight-Decay` are one name. */
const plain = (name: string): string => name.toLowerCase().replaceAll(/[_\-.]/g, '');

/** How many letters are to be put in, left out, changed or swapped with their neighbour, from one text to the other. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}

/** The known name that was probably meant, or null when none is near: one letter in three may be wrong. */
export function nearest(wrong: string, known: Iterable<string>): string | null {
  const names = [...known];
  const wanted = plain(wrong);
  const brought = Object.hasOwn(ELSEWHERE, wanted) ? ELSEWHERE[wanted]!.find((name) => names.includes(name)) : undefined;
  if (brought !== undefined) return brought;
  let best: string | null = null;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    const candidate = plain(name);
    if (Math.abs(candidate.length - wanted.length) >= least) continue;
    const distance = editDistance(wanted, candidate);
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

/**
 * A sentence for the end of a message: `. Did you mean 'float32'?`, or nothing.
 * @example `there is no option '${name}'${didYouMean(name, names)}`
 */
export function didYouMean(wrong: unknown, known: Iterable<string>): string {
  const name = typeof wrong === 'string' ? nearest(wrong, known) : null;
  return name === null ? '' : `. Did you mean '${name}'?`;
}
