/** @file The command line: what is asked for, what is printed, and the exit code (0: done; 1: it could not be; 2: asked for wrongly). */
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { createProject, ProjectError, templates } from './create.node.js';

const HELP = `Makes a project with Tessera.

  npm create tessera@latest <folder> -- [options]

  --template <name>   ${Object.entries(templates)
    .map(([name, what]) => `${name.padEnd(5)} ${what}`)
    .join('\n                      ')}
  --force             write into a folder that is not empty
  --tessera <spec>    the version of tessera to depend on, or file:…
  --json              print what was made as one JSON object
  --help              print this`;

type Print = (line: string) => void;

export async function main(argv: readonly string[], print: Print, complain: Print): Promise<number> {
  try {
    const { values, positionals } = parseOptions(argv);
    if (values.help === true) {
      print(HELP);
      return 0;
    }
    const [folder, ...more] = positionals;
    if (folder === undefined || more.length > 0)
      throw new ProjectError('ERR_USAGE', 'name one folder: npm create tessera@latest my-project');
    const { template = 'node', force = false, tessera } = values;
    const target = await createProject(folder, { template, force, ...(tessera === undefined ? {} : { tessera }) });
    if (values.json === true) print(JSON.stringify({ folder: target, template }));
    else
      print(
        `Made ${folder} (${templates[template]!}).\n\n  cd ${relative(process.cwd(), target) || '.'}\n  npm install\n  npm ${template === 'vite' ? 'run dev' : 'start'}\n`,
      );
    return 0;
  } catch (error) {
    complain(`error: ${error instanceof Error ? error.message : String(error)}`);
    return error instanceof ProjectError && error.code === 'ERR_USAGE' ? 2 : 1;
  }
}

const OPTIONS = {
  template: { type: 'string', short: 't' },
  force: { type: 'boolean' },
  tessera: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

function parseOptions(argv: readonly string[]): ReturnType<typeof parse> {
  try {
    return parse(argv);
  } catch (error) {
    const why = (error as Error).message.split('. ')[0]!;
    const wrong = /'--?(\w+)/.exec(why)?.[1];
    // A slip is seldom in the first letters.
    const meant = Object.keys(OPTIONS).find((name) => wrong !== undefined && !(wrong in OPTIONS) && name.startsWith(wrong.slice(0, 3)));
    throw new ProjectError('ERR_USAGE', `${why}${meant === undefined ? '' : ` (Did you mean --${meant}?)`}; --help lists the options`);
  }
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- its type is inferred from the options below
const parse = (argv: readonly string[]) =>
  parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: OPTIONS,
  });
