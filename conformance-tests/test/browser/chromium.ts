/** @file Where Chromium is, and how it is started. */
import { existsSync } from 'node:fs';

const path = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (file) => file !== undefined && existsSync(file),
);

/** Without a path Playwright looks for its own, and says so where it has none. */
export const CHROMIUM = {
  ...(path !== undefined && { executablePath: path }),
  // The last ones keep Chromium from the network.
  args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
};
