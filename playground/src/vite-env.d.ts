/** @file What Vite makes of files that are no modules. */
declare module '*?raw' {
  const text: string;
  export default text;
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
