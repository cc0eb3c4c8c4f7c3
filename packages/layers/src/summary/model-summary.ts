/** @file What a summary found: rows, totals, and a table as torchinfo prints it. */
import type { Shape } from '@tessera/core';

export type SummaryColumn = 'inputShape' | 'outputShape' | 'params' | 'percent' | 'kernelShape' | 'multiplyAdds' | 'trainable';

/** One call of a layer. Sums are those of the layer and all below it. */
export interface SummaryRow {
  readonly typeName: string;
  /** Its name within the model, such as `layers.0.conv`; '' for the model itself. */
  readonly path: string;
  readonly depth: number;
  /** Of the first tensor among its arguments, and of its result; null where it was not called. */
  readonly inputShape: Shape | null;
  readonly outputShape: Shape | null;
  readonly outputBytes: number;
  readonly params: number;
  /** Of the layer itself, without those below. */
  readonly ownParams: number;
  readonly trainableParams: number;
  readonly paramBytes: number;
  readonly kernelShape: Shape | null;
  readonly multiplyAdds: number;
  /** A layer that was called before: its parameters are counted there. */
  readonly repeated: boolean;
  readonly children: readonly SummaryRow[];
}

interface Look {
  readonly depth: number;
  readonly columns: readonly SummaryColumn[] | undefined;
}

const TITLES: Record<SummaryColumn, string> = {
  inputShape: 'Input Shape',
  outputShape: 'Output Shape',
  params: 'Param #',
  percent: 'Param %',
  kernelShape: 'Kernel Shape',
  multiplyAdds: 'Mult-Adds',
  trainable: 'Trainable',
};

/** Made by {@link summary}. Its text is the table. */
export class ModelSummary {
  readonly #look: Look;

  constructor(
    /** The model's row; the others are below it. */
    readonly root: SummaryRow,
    readonly inputBytes: number,
    /** Did the model run? Without, there are no shapes. */
    readonly ran: boolean,
    look: Look,
  ) {
    this.#look = look;
  }

  /** All rows, each before those below it. */
  get rows(): SummaryRow[] {
    const rows: SummaryRow[] = [];
    const visit = (row: SummaryRow): void => {
      rows.push(row);
      row.children.forEach(visit);
    };
    visit(this.root);
    return rows;
  }

  get totalParams(): number {
    return this.root.params;
  }

  get trainableParams(): number {
    return this.root.trainableParams;
  }

  get multiplyAdds(): number {
    return this.root.multiplyAdds;
  }

  get paramBytes(): number {
    return this.root.paramBytes;
  }

  /** What the layers that have parameters, and none below them, give: once for the forward and once for the gradients, as torchinfo counts. */
  get outputBytes(): number {
    return this.rows.reduce((sum, r) => sum + (r.params > 0 && r.params === r.ownParams ? 2 * r.outputBytes : 0), 0);
  }

  toString(): string {
    const { depth } = this.#look;
    const columns = this.#look.columns ?? ['outputShape', 'params', ...(this.ran ? (['multiplyAdds'] as const) : [])];
    const names: string[] = [];
    const cells: string[][] = [];
    const counts: number[] = [];
    const visit = (row: SummaryRow): void => {
      const index = row.depth === 0 ? '' : `: ${row.depth}-${(counts[row.depth] = (counts[row.depth] ?? 0) + 1)}`;
      const lead = row.depth === 0 ? '' : `${'│    '.repeat(row.depth - 1)}${row.depth === 1 ? '├─' : '└─'}`;
      const name = row.path.slice(row.path.lastIndexOf('.') + 1);
      names.push(`${lead}${row.typeName}${name === '' ? '' : ` (${name})`}${index}`);
      const whole = row.children.length === 0 || row.depth >= depth;
      cells.push(columns.map((c) => this.#cell(row, c, whole)));
      if (row.depth < depth) row.children.forEach(visit);
    };
    visit(this.root);
    const title = 'Layer (name): depth-index';
    const first = Math.max(title.length, ...names.map((n) => n.length));
    const widths = columns.map((c, i) => Math.max(TITLES[c].length, ...cells.map((row) => row[i]!.length)));
    const line = (name: string, row: readonly string[]): string =>
      [name.padEnd(first), ...row.map((cell, i) => cell.padEnd(widths[i]!))].join('  ').trimEnd();
    const rule = '='.repeat(Math.max(40, first + widths.reduce((sum, w) => sum + w + 2, 0)));
    return [
      rule,
      line(
        title,
        columns.map((c) => TITLES[c]),
      ),
      rule,
      ...names.map((name, i) => line(name, cells[i]!)),
      rule,
      ...this.#totals(rule),
      rule,
    ].join('\n');
  }

  #cell(row: SummaryRow, column: SummaryColumn, whole: boolean): string {
    const params = whole ? row.params : row.ownParams;
    switch (column) {
      case 'inputShape':
        return shapeText(row.inputShape);
      case 'outputShape':
        return shapeText(row.outputShape);
      case 'kernelShape':
        return shapeText(row.kernelShape);
      case 'params':
        return params === 0 ? '--' : row.repeated ? '(recursive)' : row.trainableParams === 0 ? `(${number(params)})` : number(params);
      case 'percent':
        return params === 0 || row.repeated ? '--' : `${((100 * params) / this.totalParams).toFixed(2)} %`;
      case 'multiplyAdds':
        return !whole || row.multiplyAdds === 0 ? '--' : number(row.multiplyAdds);
      case 'trainable':
        return row.params === 0 ? '--' : row.trainableParams === 0 ? 'False' : row.trainableParams === row.params ? 'True' : 'Partial';
    }
  }

  #totals(rule: string): string[] {
    const lines = [
      `Total params: ${number(this.totalParams)}`,
      `Trainable params: ${number(this.trainableParams)}`,
      `Non-trainable params: ${number(this.totalParams - this.trainableParams)}`,
    ];
    if (!this.ran) return [...lines, rule, `Params size (MB): ${megabytes(this.paramBytes)}`];
    return [
      ...lines,
      `Total mult-adds (M): ${megabytes(this.multiplyAdds)}`,
      rule,
      `Input size (MB): ${megabytes(this.inputBytes)}`,
      `Forward/backward pass size (MB): ${megabytes(this.outputBytes)}`,
      `Params size (MB): ${megabytes(this.paramBytes)}`,
      `Estimated Total Size (MB): ${megabytes(this.inputBytes + this.outputBytes + this.paramBytes)}`,
    ];
  }
}

const shapeText = (shape: Shape | null): string => (shape === null ? '--' : `[${shape.join(', ')}]`);
const number = (n: number): string => n.toLocaleString('en-US');
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(2);
