import { defineConfig } from 'vite';

// Threads in WebAssembly need a page that is cross-origin isolated. Send the same headers from the server that the page ends up on.
const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

export default defineConfig({
  base: './',
  server: { headers },
  preview: { headers },
  worker: { format: 'es' },
  build: { target: 'es2022' },
});
