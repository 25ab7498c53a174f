// What a person, or a program, may tell a run that goes on: `millrace run FILE --control` reads it from standard input, a command a line.
//
// One command after the other, each with an answer; one that cannot be done is told with its reason and changes nothing. The end of the
// input is nobody's wish: the run goes on. Without the option nothing is read: a run in the background of a shell must not wait for it.
import { createInterface } from 'node:readline';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import type { Pipeline } from '../embedded/pipeline.ts';

const commands: readonly string[] = ['pause', 'resume', 'status'];

export const UnknownControl: CodedErrorClass<{ readonly command: string }> = defineError(
  'run.unknown_command',
  { help: 'A line is `resume RELATION.CONNECTOR`, `pause RELATION.CONNECTOR` or `status`.' },
  (f) => `there is no command "${f.command}"`,
);

export const UnknownRunConnector: CodedErrorClass<{ readonly connector: string }> = defineError(
  'run.unknown_connector',
  { help: 'A connector is named relation.name; `status` lists them.' },
  (f) => `there is no connector "${f.connector}"`,
);

export interface RunControl {
  close(): void;
}

/** `answer` is called with lines of text, `failed` with what was thrown. */
export function controlRun(
  pipeline: Pipeline,
  input: NodeJS.ReadStream,
  { answer, failed }: { readonly answer: (text: string) => void; readonly failed: (error: unknown) => void },
): RunControl {
  const lines = createInterface({ input, terminal: false });
  let working: Promise<void> = Promise.resolve();
  let isClosed = false;
  lines.on('line', (line) => {
    const text = line.trim();
    if (text === '') return;
    working = working
      .then(async () => {
        if (!isClosed) answer(await perform(pipeline, text));
      })
      .catch(failed);
  });
  return {
    close: () => {
      isClosed = true;
      lines.close();
      // A terminal or a pipe that stays open would keep the process.
      input.destroy();
    },
  };
}

async function perform(pipeline: Pipeline, line: string): Promise<string> {
  const [command = '', ...rest] = line.split(/\s+/);
  if (!commands.includes(command)) {
    throw new UnknownControl({ command }, { suggestion: nearestName(command, commands) });
  }
  const { inputs, outputs } = await pipeline.stats();
  const all = [...inputs, ...outputs];
  if (command === 'status') return all.map(({ endpoint, state }) => `${endpoint} is ${state}`).join('\n');
  const wanted = rest.join(' ');
  const connector = all.find(({ endpoint }) => endpoint === wanted);
  if (connector === undefined) {
    const known = all.map(({ endpoint }) => endpoint);
    throw new UnknownRunConnector({ connector: wanted }, { suggestion: nearestName(wanted, known) });
  }
  const { relation, name, endpoint } = connector;
  if (command === 'pause') await pipeline.pauseConnector(relation, name);
  else await pipeline.resumeConnector(relation, name);
  return `${endpoint} is ${command === 'pause' ? 'paused' : 'resumed'}`;
}
