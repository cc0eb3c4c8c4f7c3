/** @file Learning-rate schedulers: the rate before the first step and after each of the others. */
import { Mismatch } from '../check/result.js';
import type { PlainRecord, SchedulerManifest } from '../fixtures/index.js';
import { constructModule, disposeModule } from '../modules/construct.js';
import { bind, parseSignature, spread } from '../ops/signature.js';
import type { Library } from '../subject/library.js';
import type { Subject } from '../subject/subject.js';
import { construct } from './problem.js';
import { RENAMED, SCHEDULERS } from './signatures.js';
import type { AnyOptimizer } from './trajectory.js';

interface AnyScheduler {
  step(metric?: number): unknown;
}

const SIGNATURES = new Map(SCHEDULERS.map(parseSignature).map((signature) => [signature.path, signature]));

/** @throws Mismatch, Skip */
export async function runScheduler(
  name: string,
  manifest: SchedulerManifest,
  { library }: Subject,
  stage: (name: string) => void,
): Promise<void> {
  stage('constructor');
  const network = constructModule(library, 'Linear', [2, 2], {});
  try {
    const parameters = [...network.namedParameters()].map(([, parameter]) => parameter);
    const optimizer = construct(library, 'SGD', parameters, { lr: manifest.base_lr });
    const scheduler = makeScheduler(library, name, manifest, optimizer);
    const rates = [optimizer.paramGroups[0].lr];
    stage('steps');
    for (let step = 0; step < manifest.lrs.length - 1; step++) {
      optimizer.step();
      scheduler.step(manifest.metrics?.[step]);
      rates.push(optimizer.paramGroups[0].lr);
    }
    manifest.lrs.forEach((expected, step) => {
      if (!(Math.abs(rates[step] - expected) <= 1e-12 + 1e-9 * Math.abs(expected)))
        throw new Mismatch(
          `after step ${step} the rate is ${rates[step]}, expected ${expected}`,
          manifest.lrs.join(', '),
          rates.join(', '),
        );
    });
  } finally {
    disposeModule(network);
  }
}

function makeScheduler(
  library: Library,
  name: string,
  { kwargs, of, milestones }: SchedulerManifest,
  optimizer: AnyOptimizer,
): AnyScheduler {
  if (of) {
    const parts = of.map(([part, options]) => build(library, part, optimizer, options));
    return new (library.cls(`optim.lrScheduler.${name}`))(optimizer, parts, milestones) as unknown as AnyScheduler;
  }
  return build(library, name, optimizer, kwargs ?? {});
}

function build(library: Library, name: string, optimizer: AnyOptimizer, kwargs: PlainRecord): AnyScheduler {
  const signature = SIGNATURES.get(name) ?? parseSignature(`${name}(optimizer)`);
  const named = Object.fromEntries(Object.entries(kwargs).map(([key, value]) => [RENAMED[key] ?? key, value]));
  return new (library.cls(`optim.lrScheduler.${name}`))(
    ...spread(signature, bind(signature, [optimizer], named)),
  ) as unknown as AnyScheduler;
}
