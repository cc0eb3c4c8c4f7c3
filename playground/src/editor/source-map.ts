/** @file From a place in compiled JavaScript back to the source: the little of source maps (version 3) that it takes. */

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The numbers of one segment, base64 VLQ. */
function decode(segment: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const character of segment) {
    const digit = DIGITS.indexOf(character);
    value += (digit & 31) << shift;
    shift += 5;
    if ((digit & 32) !== 0) continue;
    numbers.push((value & 1) === 1 ? -(value >>> 1) : value >>> 1);
    value = 0;
    shift = 0;
  }
  return numbers;
}

/** The 1-based line of the source that a 1-based place in the JavaScript was made from; undefined where the map says nothing. */
export function originalLine(map: string, line: number, column: number): number | undefined {
  const { mappings } = JSON.parse(map) as { mappings: string };
  let source = 0;
  let found: number | undefined;
  for (const [at, segments] of mappings.split(';').entries()) {
    if (at >= line) break;
    let generatedColumn = 0;
    for (const segment of segments.split(',').filter((text) => text !== '')) {
      const [columns = 0, , lines] = decode(segment);
      generatedColumn += columns;
      source += lines ?? 0;
      if (at === line - 1 && (generatedColumn < column || found === undefined)) found = source + 1;
    }
  }
  return found;
}
