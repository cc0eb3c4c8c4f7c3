/** @file The sum over a workgroup's lanes: by subgroups where the adapter has them and says which one a lane is in, else as a tree. */

/**
 * Declares `group_sum(lane, [subgroup, subgroups,] value)`, which all lanes call and which gives all of them the sum, and the array `lanes`. The order of
 * additions is the same each time.
 */
export function groupSum(type: 'f32' | 'i32', count: number, subgroups: boolean, name = 'group_sum'): string {
  if (subgroups) {
    // A subgroup has four lanes or more.
    return `var<workgroup> ${name}_parts: array<${type}, ${count / 4}>;
fn ${name}(lane: u32, subgroup: u32, subgroups: u32, value: ${type}) -> ${type} {
let part = subgroupAdd(value);
if (subgroupElect()) { ${name}_parts[subgroup] = part; }
workgroupBarrier();
var sum = ${name}_parts[0];
for (var i = 1u; i < subgroups; i++) { sum += ${name}_parts[i]; }
workgroupBarrier();
return sum;
}`;
  }
  return `var<workgroup> ${name}_parts: array<${type}, ${count}>;
fn ${name}(lane: u32, value: ${type}) -> ${type} {
${name}_parts[lane] = value;
workgroupBarrier();
for (var step = ${count / 2}u; step > 0u; step >>= 1u) {
if (lane < step) { ${name}_parts[lane] += ${name}_parts[lane + step]; }
workgroupBarrier();
}
let sum = ${name}_parts[0];
workgroupBarrier();
return sum;
}`;
}
