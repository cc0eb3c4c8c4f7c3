/** @file The command line of the small programs here: an option that there is not ends them, rather than being passed over. */

/** @param {readonly string[]} known Names without their dashes. */
export function knownOptions(known) {
  for (const given of process.argv.slice(2)) {
    if (!given.startsWith('--') || known.includes(given.slice(2))) continue;
    const near = known.find((name) => name.startsWith(given.slice(2, 5)));
    console.error(
      `error: there is no option ${given}; there are ${known.map((name) => `--${name}`).join(', ')}${near ? `. Did you mean --${near}?` : ''}`,
    );
    process.exit(2);
  }
}
