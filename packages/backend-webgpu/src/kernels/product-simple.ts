/** @file Products with few rows or columns: an invocation for each element, or a workgroup whose lanes share K. */
import { type Context, groupsFor, WORKGROUP } from './context.js';
import { bindAll, bindingNames, bindingTypes, type Product } from './operand.js';
import { groupSum } from '../wgsl/group-sum.js';
import { kernelSource, Parameters } from '../wgsl/source.js';

const DOT_LANES = 64;

/** An element of the result for each invocation ('each'), or for each workgroup, whose lanes share K ('dots'). */
export function launchSimple({ launcher }: Context, product: Product, form: 'each' | 'dots'): void {
  const { label, type, batch, rows, columns, inner, a, b, out } = product;
  const shared = form === 'dots';
  const fours = shared && a.fours === 'inner' && b.fours === 'inner';
  const subgroups = shared && launcher.subgroups;
  const step = fours ? 4 : 1;
  const first = shared ? (fours ? 'lane * 4u' : 'lane') : '0u';
  const term = fours
    ? 'sum += dot(a_four(batch, row, t), b_four(batch, column, t));'
    : 'sum += a_at(outer_a, a_inner(batch, t)) * b_at(outer_b, b_inner(batch, t));';
  const pipeline = launcher.pipeline(`product-${form} ${type} | ${a.key} | ${b.key} | ${out.key}`, () => {
    const p = new Parameters();
    const [all, m, n, k] = p.uints(4);
    const names = bindingNames(product);
    const head = [a.text(p, names.a), b.text(p, names.b), out.text(p, names.out)].join('\n');
    return kernelSource({
      label: `${label}, ${shared ? 'dot products' : 'one by one'}`,
      ...bindingTypes(product),
      workgroup: shared ? DOT_LANES : WORKGROUP,
      subgroups,
      head: `${head}\n${shared ? groupSum(type, DOT_LANES, subgroups) : ''}`,
      body: `${shared ? '' : `if (id >= ${all}) { return; }`}
let task = ${shared ? `min(group, ${all} - 1u)` : 'id'};
let column = task % ${n};
let row = (task / ${n}) % ${m};
let batch = task / (${m} * ${n});
var sum = ${type}();
${fours ? '' : 'let outer_a = a_outer(batch, row);\nlet outer_b = b_outer(batch, column);'}
for (var t = ${first}; t < ${k}; t += ${step * (shared ? DOT_LANES : 1)}u) { ${term} }
${
  shared
    ? `sum = group_sum(lane, ${subgroups ? 'subgroup, subgroups, ' : ''}sum);
if (lane == 0u && group < ${all}) { store(batch, row, column, sum); }`
    : 'store(batch, row, column, sum);'
}`,
    });
  });
  bindAll(launcher, product);
  const all = batch * rows * columns;
  launcher.word(all).word(rows).word(columns).word(inner);
  for (const operand of [a, b, out]) operand.pack(launcher);
  launcher.launch(pipeline, shared ? all : groupsFor(all));
}
