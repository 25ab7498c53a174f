// The log of a pipeline as a stream of lines that goes on while the pipeline exists or, when it is asked not to follow, ends behind the
// latest line that there is.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Hosting } from '../hosting/hosting.ts';
import type { LogBuffer } from '../hosting/log-buffer.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { body } from '../http/reply-shape.ts';
import type { Route } from '../http/route.ts';

const linesAtOnce = 500;

export function logRoutes(hosting: Hosting): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v0/pipelines/{pipeline_name}/logs',
      summary: 'The log, from the oldest line that is kept or from a cursor, and what follows',
      access: 'read',
      query: {
        cursor: 'epoch:sequence of the last line seen; empty: from the start',
        follow: 'false: end behind the latest line (default true)',
      },
      ok: { 200: body('text/plain') },
      problems: [400, 404],
      handle: ({ params, query }) => {
        const { logs } = hosting.pipelines.get(params['pipeline_name'] ?? '');
        const seen = readCursor(query.get('cursor') ?? '', logs);
        const from = Math.max(seen, logs.firstSequence - 1);
        return {
          status: 200,
          contentType: 'text/plain',
          headers: {
            'feldera-logs-epoch': logs.epoch,
            'feldera-logs-seq': String(from),
            'feldera-logs-gap': String(from - seen),
          },
          stream: (response, signal) =>
            send({ logs, from, upTo: query.get('follow') === 'false' ? logs.lastSequence : null }, response, signal),
        };
      },
    },
  ];
}

/** The number of the last line seen; 0 for a cursor of another life of the buffer. @throws HttpProblem InvalidParam */
function readCursor(text: string, logs: LogBuffer): number {
  if (text === '') return 0;
  const found = /^(.+):(\d+)$/.exec(text);
  if (found === null) {
    throw new HttpProblem({ status: 400, code: 'InvalidParam', message: `'${text}' is no cursor: epoch:sequence` });
  }
  const sequence = Number(found[2]);
  return found[1] === logs.epoch && sequence <= logs.lastSequence ? sequence : 0;
}

interface Wanted {
  readonly logs: LogBuffer;
  /** The line before the first. */
  readonly from: number;
  /** The last; null: it goes on. */
  readonly upTo: number | null;
}

async function send({ logs, from, upTo }: Wanted, response: ServerResponse, signal: AbortSignal): Promise<void> {
  let sent = from;
  let wake = (): void => {};
  const leave = logs.follow(() => wake());
  signal.addEventListener('abort', () => wake(), { once: true });
  try {
    while (!signal.aborted) {
      sent = Math.max(sent, logs.firstSequence - 1);
      if (upTo !== null && sent >= upTo) return;
      const lines = logs.after(sent, upTo === null ? linesAtOnce : Math.min(linesAtOnce, upTo - sent));
      if (lines.length > 0) {
        sent += lines.length;
        if (!response.write(`${lines.join('\n')}\n`)) await once(response, 'drain', { signal }).catch(() => {});
      } else if (logs.isEnded) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    leave();
  }
}
