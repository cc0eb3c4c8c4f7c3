/** @file The command line of the package: `npx tessera devices`. */
import { loadPlugins, type Runtime } from '@tessera/core';
import { Command, CommanderError, Option } from 'commander';
import { deviceLines, deviceReports } from './devices.js';

interface DevicesOptions {
  readonly plugin?: readonly string[];
  readonly json?: true;
}

/** Where a command runs. */
export interface CliContext {
  readonly runtime: Runtime;
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

const more = (name: string, before: readonly string[] | undefined): string[] => [...(before ?? []), name];

/** Runs a command. @returns the exit code: 0, 1 where it failed, 2 for wrong arguments. */
export async function main(argv: readonly string[], { runtime, version, environment, write, writeError }: CliContext): Promise<number> {
  const names = (text: string | undefined): string[] => (text ?? '').split(',').flatMap((name) => name.trim() || []);
  const program = new Command('tessera').description('Tessera, a deep-learning framework for TypeScript.').version(version);
  program.exitOverride().configureOutput({ writeOut: write, writeErr: writeError });
  program
    .command('devices')
    .description('Lists the backends: which can run here, which would be chosen, what each can do.')
    .addOption(new Option('--plugin <name>', 'a package or file that brings a backend; may be repeated').argParser(more))
    .option('--json', 'as JSON')
    .action(async ({ plugin = [], json }: DevicesOptions) => {
      for (const name of [...names(environment['TESSERA_PLUGINS']), ...plugin]) for (const one of await loadPlugins(name)) runtime.use(one);
      const reports = await deviceReports(runtime, environment['TESSERA_DEVICE']?.trim() || undefined);
      write(json ? `${JSON.stringify(reports, null, 2)}\n` : `${deviceLines(reports).join('\n')}\n`);
    });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    writeError(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}
