/** @file The worker of the editor: TypeScript, away from the page. */
import { serve } from '../shared/rpc.js';
import { compile, complete, diagnose, inspect } from './language.js';

const api = {
  diagnose: ({ text }: { text: string }) => diagnose(text),
  complete: ({ text, position }: { text: string; position: number }) => complete(text, position),
  inspect: ({ text, position }: { text: string; position: number }) => inspect(text, position),
  compile: ({ text }: { text: string }) => compile(text),
};

export type LanguageApi = typeof api;

serve(api);
