/** @file TypeScript's language service over one file, `/model.ts`, and the declarations of Tessera. */
import ts from 'typescript';
import declarations from 'virtual:editor-types';

const FILE = '/model.ts';
/** What a model may import besides Tessera. */
const PLAYGROUND = `declare module 'playground' {
  import type { nn, Tensor } from 'tessera';
  /** A layer that a plugin registered, by its name: a class to make modules of. */
  export function layer(name: string): new (...args: any[]) => nn.Module & ((...args: any[]) => Tensor);
}
declare const console: { log(...values: unknown[]): void; warn(...values: unknown[]): void; error(...values: unknown[]): void };
`;
const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  types: [],
};

export interface Diagnostic {
  /** Offsets in the text. */
  readonly from: number;
  readonly to: number;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
}

export interface Completion {
  readonly label: string;
  readonly kind: string;
  readonly sort: string;
}

export interface Compiled {
  readonly diagnostics: readonly Diagnostic[];
  readonly javascript: string;
  /** The JSON of a source map, version 3. */
  readonly map: string;
}

let text = '';
let version = 0;
const files = new Map<string, string>([...Object.entries(declarations), ['/playground.d.ts', PLAYGROUND]]);
const folders = new Set<string>();
for (const path of files.keys())
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) folders.add(path.slice(0, at));

const contents = (path: string): string | undefined => (path === FILE ? text : files.get(path));

const service = ts.createLanguageService(
  {
    getScriptFileNames: () => [FILE, '/playground.d.ts'],
    getScriptVersion: (path) => (path === FILE ? String(version) : '0'),
    getScriptSnapshot: (path) => {
      const found = contents(path);
      return found === undefined ? undefined : ts.ScriptSnapshot.fromString(found);
    },
    getCurrentDirectory: () => '/',
    getCompilationSettings: () => OPTIONS,
    getDefaultLibFileName: () => '/lib.es2023.d.ts',
    fileExists: (path) => contents(path) !== undefined,
    readFile: contents,
    directoryExists: (path) => path === '/' || folders.has(path.replace(/\/$/, '')),
    getDirectories: () => [],
  },
  ts.createDocumentRegistry(),
);

function update(now: string): void {
  if (now === text) return;
  text = now;
  version++;
}

const SEVERITY = { [ts.DiagnosticCategory.Error]: 'error', [ts.DiagnosticCategory.Warning]: 'warning' } as const;

/** Errors of syntax and of types, and what is not used, by place. */
export function diagnose(now: string): Diagnostic[] {
  update(now);
  const found = [
    ...service.getSyntacticDiagnostics(FILE),
    ...service.getSemanticDiagnostics(FILE),
    ...service.getSuggestionDiagnostics(FILE),
  ];
  return found.map(({ start = 0, length = 0, category, messageText }) => ({
    from: start,
    to: start + length,
    severity: (SEVERITY as Partial<Record<ts.DiagnosticCategory, 'error' | 'warning'>>)[category] ?? 'info',
    message: ts.flattenDiagnosticMessageText(messageText, '\n'),
  }));
}

/** What may stand at a place. */
export function complete(now: string, position: number): Completion[] {
  update(now);
  const found = service.getCompletionsAtPosition(FILE, position, { includeCompletionsWithInsertText: false });
  return (found?.entries ?? []).map(({ name, kind, sortText }) => ({ label: name, kind, sort: sortText }));
}

/** The type of what stands at a place, and its documentation. */
export function inspect(now: string, position: number): { from: number; to: number; type: string; documentation: string } | null {
  update(now);
  const found = service.getQuickInfoAtPosition(FILE, position);
  if (found === undefined) return null;
  const { start, length } = found.textSpan;
  return {
    from: start,
    to: start + length,
    type: ts.displayPartsToString(found.displayParts),
    documentation: ts.displayPartsToString(found.documentation),
  };
}

/** To a CommonJS module that the compute worker can run. */
export function compile(now: string): Compiled {
  const { outputText, sourceMapText = '' } = ts.transpileModule(now, {
    fileName: FILE,
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS, sourceMap: true },
  });
  return { diagnostics: diagnose(now), javascript: outputText.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'), map: sourceMapText };
}
