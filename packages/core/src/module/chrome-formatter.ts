/**
 * @file Tensors and modules in the console of Chrome's developer tools, as what they are in place of their fields.
 * Format: https://chromium.googlesource.com/chromium/src/+/HEAD/third_party/blink/renderer/devtools (custom object formatters, JsonML).
 */
import { isTensor, type RemovableHandle, type Tensor } from '../tensor/tensor.js';
import { isModule } from './members.js';
import type { Module } from './module.js';
import { typeNameOf } from './repr.js';

/** JsonML: a tag, its attributes, what it holds. */
type Markup = readonly [tag: string, attributes: Readonly<Record<string, string>>, text: string];

interface Formatter {
  header(value: unknown): Markup | null;
  hasBody(value: unknown): boolean;
  body(value: unknown): Markup | null;
}

const line = (text: string): Markup => ['span', {}, text];
const block = (text: string): Markup => ['div', { style: 'white-space: pre; font-family: monospace; margin-left: 12px' }, text];

const tensorTitle = (t: Tensor): string =>
  `${t.constructor.name === 'Parameter' ? 'Parameter' : 'Tensor'} [${t.shape.join(', ')}] ${t.dtype} ${t.device.id}${t.isDisposed ? ' (disposed of)' : ''}`;

function moduleTitle(m: Module): string {
  const count = m.parameters().reduce((sum, p) => sum + p.numel(), 0);
  return `${typeNameOf(m)} (${count.toLocaleString('en')} parameters)`;
}

const formatter: Formatter = {
  header(value) {
    if (isTensor(value)) return line(tensorTitle(value));
    return isModule(value) ? line(moduleTitle(value)) : null;
  },
  hasBody: (value) => (isTensor(value) ? !value.isDisposed : isModule(value)),
  body: (value) => (isTensor(value) || isModule(value) ? block(String(value)) : null),
};

/**
 * Shows tensors and modules in Chrome's console as their sizes, and, opened, as their contents (a tensor on a device that cannot be read at
 * once without them). "Enable custom formatters" must be on in the settings of the developer tools. Does nothing anywhere else.
 *
 * @returns A handle that takes it away again.
 * @example installFormatter()
 */
export function installFormatter(): RemovableHandle {
  const tools = globalThis as { devtoolsFormatters?: Formatter[] };
  const all = (tools.devtoolsFormatters ??= []);
  if (!all.includes(formatter)) all.push(formatter);
  return { remove: () => void (tools.devtoolsFormatters = tools.devtoolsFormatters?.filter((f) => f !== formatter)) };
}
