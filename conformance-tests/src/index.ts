/** @file The conformance kit of Tessera: what every backend must pass. */
export { againstLines, type AgainstOptions, type AgainstReport, compareBackends, type Disagreement } from './against/against.js';
export type { CaseResult, Failure } from './check/result.js';
export type { SkipKind } from './check/skip.js';
export * from './fixtures/index.js';
export { type CommandOf, htmlOf } from './report/html.js';
export { checkLayer, type CheckLayerOptions, type LayerCase } from './layer/check-layer.js';
export { markdownOf } from './report/markdown.js';
export { type LevelTotals, levelTotals, overviewLines, type ReasonTotals, reasonTotals } from './report/overview.js';
export { conform, type ConformOptions, type TestRunner } from './conform.js';
export { type FailedCase, type Scorecard, type ScorecardRow, summaryOf } from './report/scorecard.js';
export { type ConformanceOptions, type Progress, runConformance, type Selection } from './run.js';
export type { SubjectSource } from './subject/start.js';
export { type Level, LEVELS } from './suite.js';
