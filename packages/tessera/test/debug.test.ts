/** @file Debug switches, memory reports, and the tape as a graph. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { debug, graphOf, memoryReport, memoryStats, nn, randn, scope, tensor, type Tensor, toDevice } from '../src/index.js';

describe('debug.kernels', () => {
  const { print } = debug;
  afterEach(() => {
    debug.kernels = false;
    debug.print = print;
  });

  it('prints each kernel with its program', () => {
    const seen: string[] = [];
    debug.print = (text) => void seen.push(text);
    const a = tensor([1, 2, 3]);
    const b = tensor([4, 5, 6]);
    debug.kernels = true;
    a.add(b).exp().realize();
    a.unsqueeze(0).matmul(b.unsqueeze(1));
    debug.kernels = false;
    a.add(b).realize();
    expect(seen.map((t) => t.replace(/#\d+/, '#'))).toEqual([
      '[cpu #] pointwise [3]\n    %2 = add.float32 x0 x1\n    %3 = exp.float32 %2\n    out0.float32 = %3',
      '[cpu #] matmul [1, 1, 3, 1]',
    ]);
    expect(toDevice('cpu').onLaunch).toBe(null);
  });

  it('leaves a listener of the device’s in place', () => {
    const device = toDevice('cpu');
    const seen: string[] = [];
    device.onLaunch = ({ kernel }) => void seen.push(kernel);
    debug.print = () => {};
    debug.kernels = true;
    tensor([1]).neg().realize();
    debug.kernels = false;
    tensor([1]).neg().realize();
    expect(seen).toEqual(['pointwise', 'pointwise']);
    device.onLaunch = null;
  });
});

describe('memory', () => {
  afterEach(() => void (debug.tensors = false));

  it('memoryStats counts what lives', () => {
    const before = memoryStats('cpu');
    const t = randn([1000]).realize();
    expect(memoryStats().bytes - before.bytes).toBe(4000);
    t.dispose();
    expect(memoryStats().bytes).toBe(before.bytes);
  });

  it('a report says where live tensors were made', () => {
    debug.tensors = true;
    const kept: Tensor[] = [];
    const leak = (): void => void kept.push(randn([100]).realize());
    for (let i = 0; i < 3; i++) leak();
    tensor([1]).dispose();
    const report = memoryReport();
    const [origin] = report.origins;
    expect(origin).toMatchObject({ count: 3, bytes: 1200 });
    expect(origin!.at).toContain('debug.test.ts');
    expect(origin!.stack.some((line) => line.includes('packages/core/src'))).toBe(false);
    expect(origin!.tensors[0]).toMatchObject({ shape: [100], dtype: 'float32', device: 'cpu', requiresGrad: false });
    expect(report.origins.length).toBe(1);
    expect(String(report)).toMatch(/1200 +3 +float32\[100\] +at .*debug\.test\.ts/);
    expect(memoryReport({ minAgeMs: 1e6 }).origins).toEqual([]);
    kept.forEach((t) => t.dispose());
    expect(memoryReport().origins).toEqual([]);
  });

  it('scopes dispose of what is tracked as ever', () => {
    debug.tensors = true;
    const out = scope(() => randn([10]).add(1));
    expect(memoryReport().origins.map((o) => o.count)).toEqual([1]);
    expect(() => scope(() => (debug.tensors = false))).toThrow(expect.objectContaining({ code: 'ERR_TRACKING_SCOPE' }) as Error);
    out.dispose();
    expect(memoryReport().origins).toEqual([]);
  });

  it('says how to see more when nothing was tracked', () => {
    expect(String(memoryReport())).toContain('debug.tensors = true');
  });
});

describe('graphOf', () => {
  const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU());
  const view = graphOf(model(randn([1, 2])).sum(), { params: new Map(model.namedParameters()) });

  it('has the ops, the leaves by name and the output', () => {
    expect(view.nodes.map((n) => [n.kind, n.label])).toEqual([
      ['output', 'output'],
      ['op', 'SumBackward0'],
      ['op', 'ReluBackward0'],
      ['op', 'AddmmBackward0'],
      ['leaf', '0.weight'],
      ['leaf', '0.bias'],
    ]);
    const edge = (from: string, to: string): boolean =>
      view.edges.some((e) => view.nodes[e.from]!.label === from && view.nodes[e.to]!.label === to);
    expect([edge('0.weight', 'AddmmBackward0'), edge('AddmmBackward0', 'ReluBackward0'), edge('SumBackward0', 'output')]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('shared parts are there once', () => {
    const a = tensor([1, 2]).requiresGrad_();
    const b = a.exp();
    const { nodes, edges } = graphOf([b.mul(b), b.sin()]);
    expect(nodes.filter((n) => n.label === 'ExpBackward0').length).toBe(1);
    expect(edges.length).toBe(6);
  });

  it('as DOT and as Mermaid', () => {
    const dot = view.toDot();
    expect(dot).toMatch(/^digraph \{\n/);
    expect(dot).toContain('label="0.weight\\nfloat32 (3, 2)", fillcolor=lightblue');
    expect(dot).toContain('n1 -> n0;');
    const mermaid = view.toMermaid();
    expect(mermaid).toMatch(/^flowchart TD\n/);
    expect(mermaid).toContain('n4(["0.weight<br/>float32 (3, 2)"])');
    expect(mermaid).toContain('n1 --> n0');
  });

  it('of a tensor outside of any graph is that tensor', () => {
    expect(graphOf(tensor([1])).nodes.map((n) => n.kind)).toEqual(['output']);
  });
});

it.each([
  ['kernels', true, false],
  ['kernels,tensors', true, true],
  ['', false, false],
])('TESSERA_DEBUG=%s', async (value, kernels, tensors) => {
  vi.stubEnv('TESSERA_DEBUG', value);
  vi.resetModules();
  const fresh = (await import('@tessera/core')).debug;
  vi.unstubAllEnvs();
  expect([fresh.kernels, fresh.tensors]).toEqual([kernels, tensors]);
});
