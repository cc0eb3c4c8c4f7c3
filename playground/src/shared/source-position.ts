/** @file Where in the editor's model an error came from. */

/** `new Function` puts two lines in front of what it is given. */
const HEADER_LINES = 2;

/** The innermost place in `model.js`, 1-based, of an error's stack; undefined where it has none there. */
export function sourcePosition(stack: string | undefined): { line: number; column: number } | undefined {
  const found = /model\.js:(\d+):(\d+)/.exec(stack ?? '');
  if (found === null) return undefined;
  return { line: Number(found[1]) - HEADER_LINES, column: Number(found[2]) };
}
