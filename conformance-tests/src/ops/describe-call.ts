/** @file A call of the data in a line, as a person would write it. */
import { describe, expectedTensor } from '../check/host-tensor.js';
import { decodeCall, type EncodedCall, type TensorTable, type TensorValue, type Value } from '../fixtures/index.js';

/** @example describeCall('sum', …) // 'sum(float32[2, 3] {1, 2, …} grad, dim=1)' */
export function describeCall(name: string, call: EncodedCall, tensors: TensorTable): string {
  const { args, kwargs } = decodeCall(call, tensors);
  return `${name}(${[...args.map(show), ...Object.entries(kwargs).map(([key, value]) => `${key}=${show(value)}`)].join(', ')})`;
}

function show(value: Value): string {
  switch (value.kind) {
    case 'tensor':
      return showTensor(value);
    case 'float':
      return Number.isInteger(value.value) ? value.value.toFixed(1) : String(value.value);
    case 'int':
    case 'bool':
      return String(value.value);
    case 'string':
      return `'${value.value}'`;
    case 'null':
      return 'None';
    case 'list':
      return `[${value.items.map(show).join(', ')}]`;
    case 'tuple':
      return `(${value.items.map(show).join(', ')})`;
    case 'dict':
      return `{${Object.entries(value.entries)
        .map(([key, item]) => `${key}: ${show(item)}`)
        .join(', ')}}`;
    case 'slice':
      return `slice(${show(value.start)}, ${show(value.stop)}, ${show(value.step)})`;
    case 'ellipsis':
      return '...';
    default:
      return value.name;
  }
}

function showTensor(value: TensorValue): string {
  const view = value.view ? ` strides (${value.view.stride.join(', ')}) from ${value.view.offset}` : '';
  const grad = value.alias !== undefined ? ` = leaf ${value.alias}` : value.grad ? ' grad' : '';
  try {
    return describe(expectedTensor(value)) + view + grad;
  } catch {
    return `${value.dtype}[${value.shape.join(', ')}]${view}${grad}`;
  }
}
