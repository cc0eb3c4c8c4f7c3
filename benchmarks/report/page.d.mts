/** What `npm run bench` measured, as bench.json has it. */
export interface Report {
  readonly command: string;
  readonly machine: {
    /** ISO 8601. */
    readonly date: string;
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly system: string;
    readonly load: readonly number[];
    readonly node: string;
    readonly v8: string;
    readonly versions: Readonly<Record<string, string>>;
  };
  readonly settings: { readonly seconds: number; readonly rounds: number; readonly limit: number };
  readonly libs: readonly string[];
  readonly cases: readonly string[];
  readonly rows: readonly {
    readonly lib: string;
    readonly case: string;
    readonly status: 'ok' | 'wrong' | 'fail' | 'skip' | 'unsupported';
    readonly value?: number;
    readonly unit?: string;
    readonly error?: string;
  }[];
}

export declare function htmlPage(report: Report): string;
export declare function markdownPage(report: Report): string;
