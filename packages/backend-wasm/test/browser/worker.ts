/** @file A module worker that uses threads of its own. */
import { sharedWork } from './page.js';

postMessage(await sharedWork());
