/** @file An optimizer as PyTorch prints it. */
import { toSnakeCase } from './names.js';

/** `1e-08`, `0.1`, `5`; a whole number that is a float in PyTorch: `1.0`. */
function pyNumber(x: number, float: boolean): string {
  if (x !== x) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [digits, exponent] = x.toExponential().split('e') as [string, string];
    return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
  }
  return float && Number.isInteger(x) ? `${x}.0` : String(x);
}

function pyValue(x: unknown, float: boolean): string {
  if (x === null || x === undefined) return 'None';
  if (typeof x === 'boolean') return x ? 'True' : 'False';
  if (typeof x === 'number') return pyNumber(x, float);
  if (Array.isArray(x)) return `(${x.map((y) => pyValue(y, float)).join(', ')}${x.length === 1 ? ',' : ''})`;
  return typeof x === 'string' ? x : JSON.stringify(x);
}

/**
 * Groups with their options in order of names, without their parameters.
 * @param floats Options that are floats in PyTorch: JavaScript cannot tell 1 from 1.0.
 */
export function reprOf(typeName: string, groups: readonly Readonly<Record<string, unknown>>[], floats: readonly string[]): string {
  const blocks = groups.map((group, i) => {
    const lines = Object.entries(group)
      .filter(([name]) => name !== 'params')
      .map(([name, value]) => {
        const text =
          name === 'paramNames' ? `[${(value as string[]).map((s) => `'${s}'`).join(', ')}]` : pyValue(value, floats.includes(name));
        return [toSnakeCase(name), text] as const;
      })
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `Parameter Group ${i}\n${lines.map(([name, text]) => `    ${name}: ${text}\n`).join('')}`;
  });
  return `${typeName} (\n${blocks.join('\n')})`;
}
