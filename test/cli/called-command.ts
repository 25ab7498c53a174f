// `millrace ARGUMENTS` within the test's own process, put together as main.ts does it: for the many calls of a file in which it does not matter
// that each is a process, which takes a third of a second of a processor to load.
//
// Not for what reads standard input, waits for signals or ends its process: that is cli-process.ts, and every file has a call of it too. The
// working folder of the test process is changed: calls of different folders do not run beside one another.
import { fileURLToPath } from 'node:url';
import { runCli } from '../../actors/gateway/cli/cli.ts';
import { loadValidation } from '../actors/gateway/server/test-server.ts';
import type { CliOptions, Exit } from './cli-process.ts';

const packageFolder = fileURLToPath(new URL('../../..', import.meta.url));

export async function called(
  args: readonly string[],
  { folder, environment = {} }: Pick<CliOptions, 'folder' | 'environment'>,
): Promise<Exit> {
  process.chdir(folder);
  let [out, err] = ['', ''];
  const code = await runCli(args, {
    version: '0.0.0',
    packageFolder,
    loadValidation,
    environment: { ...process.env, ...environment },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    terminalColumns: null,
  });
  return { code, signal: null, out, err };
}
