/** @file What Vite makes of files that are no modules. */
interface ImportMeta {
  glob<T>(patterns: readonly string[], options: { query: string; import: string; eager: true }): Record<string, T>;
}
declare module '*?url' {
  const url: string;
  export default url;
}
declare module '*.css' {}
declare module 'virtual:editor-types' {
  /** Declarations by path: `/node_modules/tessera/dist/index.d.ts`, `/lib.es2023.d.ts`, … */
  const files: Readonly<Record<string, string>>;
  export default files;
}
/** What is timed, in which version: by name of the package. */
declare const VERSIONS: Readonly<Record<'tessera' | '@tensorflow/tfjs-core' | '@jax-js/jax', string>>;
/** Is this the built site? Else it is the development server. */
declare const BUILT: boolean;
