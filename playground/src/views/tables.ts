/** @file The layers of a model, and the memory of each device, as tables. */
import type { MemoryRow, ModelSummary } from '../shared/reports.js';
import { byId, h } from '../ui/dom.js';
import * as format from '../ui/format.js';

const body = (id: string): HTMLTableSectionElement => byId<HTMLTableElement>(id).tBodies[0]!;

export function showLayers({ layers, parameters }: ModelSummary): void {
  const rows = layers.map(({ path, depth, type, details, output, parameters: own, calls }) => {
    const name = path === '' ? '' : path.split('.').at(-1)!;
    const cell = h('td', {}, h('span', {}, name === '' ? '' : `${name} `), h('span', { class: 'code' }, type));
    cell.style.paddingLeft = `${depth * 14}px`;
    if (details !== '') cell.title = `${type}(${details})`;
    return h(
      'tr',
      {},
      cell,
      h('td', { class: 'code' }, calls > 1 ? `${output} ×${calls}` : output),
      h('td', { class: 'number' }, own === 0 ? '' : format.count(own)),
    );
  });
  const total = h(
    'tr',
    {},
    h('th', { scope: 'row', colspan: 2 }, 'All parameters'),
    h('td', { class: 'number' }, format.count(parameters)),
  );
  body('layers').replaceChildren(...rows, total);
}

export function showMemory(rows: readonly MemoryRow[]): void {
  const number = (text: string): HTMLTableCellElement => h('td', { class: 'number' }, text);
  body('memory').replaceChildren(
    ...rows.map(({ device, bytes, pooledBytes, buffers }) =>
      h(
        'tr',
        {},
        h('th', { scope: 'row' }, device),
        number(format.bytes(bytes)),
        number(format.bytes(pooledBytes)),
        number(format.count(buffers)),
      ),
    ),
  );
}
