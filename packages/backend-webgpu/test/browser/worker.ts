/** @file A module worker that uses the backend. */
import { directReads } from './page.js';

postMessage(await directReads());
