/** @file What Node loads: the entry in one file, once `npm run build` has put the bundle here (scripts/bundle.mjs); until then, its modules. */
export * from './public.js';
