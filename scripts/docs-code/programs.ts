/**
 * @file The programs that stand in a document. A block that begins with ```ts is a program of its own; ```ts continue goes on where the block
 * before it ended, and both are one program; ```ts types is checked by the compiler and not run (it needs a page, a network, a second machine).
 *
 * In `console.log(x); // 3` the comment is a claim, which the run has to keep; so are comment lines right below a `console.log` that has
 * none beside it. `…` in a claim stands for anything.
 */

/** One program of a document. */
export interface Program {
  /** The line of the document on which it begins, from 1. */
  readonly line: number;
  /** Run it, or only check its types? */
  readonly run: boolean;
  /** As it is written; empty lines stand for what lies between its blocks, so that line n is line `line + n` of the document. */
  readonly source: string;
}

const FENCE = /^```(\S*)[ \t]*(.*)$/;

/** @throws Error where a block continues nothing, or says something unknown after `ts`. */
export function programsOf(document: string): Program[] {
  const lines = document.split('\n');
  const programs: { line: number; run: boolean; body: string[] }[] = [];
  for (let i = 0; i < lines.length; i++) {
    const fence = FENCE.exec(lines[i]!);
    if (fence === null) continue;
    const start = i + 1;
    while (++i < lines.length && lines[i] !== '```');
    if (fence[1] !== 'ts') continue;
    const body = lines.slice(start, i);
    const mode = fence[2]!.trim();
    if (mode === 'continue') {
      const last = programs.at(-1);
      if (last === undefined) throw new Error(`line ${start}: this block continues nothing`);
      while (last.body.length < start - last.line) last.body.push('');
      last.body.push(...body);
    } else if (mode === '' || mode === 'types') programs.push({ line: start, run: mode === '', body });
    else throw new Error(`line ${start}: a block is ts, ts continue or ts types, not ts ${mode}`);
  }
  return programs.map(({ line, run, body }) => ({ line, run, source: body.join('\n') }));
}

const CLAIM = /^(\s*)console\.log\((.*)\);[ \t]*\/\/ (.*)$/;
const BARE = /^(\s*)console\.log\((.*)\);$/;
const COMMENT = /^\s*\/\/ (.*)$/;

/** The same program, on the same lines, with each claim as a call of `claim(text, …values)`. */
export function withClaims(source: string): string {
  const lines = source.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const beside = CLAIM.exec(lines[i]!);
    if (beside !== null) {
      lines[i] = `${beside[1]}claim(${JSON.stringify(beside[3])}, ${beside[2]});`;
      continue;
    }
    const bare = BARE.exec(lines[i]!);
    if (bare === null) continue;
    const below: string[] = [];
    for (let j = i + 1; j < lines.length; j++) {
      const comment = COMMENT.exec(lines[j]!);
      if (comment === null) break;
      below.push(comment[1]!);
    }
    if (below.length > 0) lines[i] = `${bare[1]}claim(${JSON.stringify(below.join('\n'))}, ${bare[2]});`;
  }
  return lines.join('\n');
}

/** Is this what was claimed? Space at the ends of lines does not count. */
export function keeps(claimed: string, printed: string): boolean {
  const plain = (text: string): string => text.replaceAll(/[ \t]+$/gm, '').trim();
  const pattern = plain(claimed)
    .split('…')
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('[^]*');
  return new RegExp(`^${pattern}$`).test(plain(printed));
}
