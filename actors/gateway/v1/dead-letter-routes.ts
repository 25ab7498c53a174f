// Dead letters of a pipeline without SQL: which wait, and the replay of them. Of our own: Conduit has no such routes.
//
// They are read from the file of the queue; a queue that keeps none is refused (dead_letters.not_kept). The list may be asked for while
// the pipeline is stopped; a replay needs its destinations, so it has to run. A replay goes on when nobody asks for it any more.
import { resolve } from 'node:path';
import { errorFromData } from '../../../runtime/errors.ts';
import { deadLetterFile } from '../../dead-letter-file.ts';
import { listDeadLetters } from '../../dead-letter-list.ts';
import type { DeadLetterReplayStatus } from '../../supervisor/messages.ts';
import type { Hosting } from '../hosting/hosting.ts';
import { withinMoment } from '../hosting/moment.ts';
import { relayDefinition } from '../hosting/relay-pipeline.ts';
import { anyObject, list, object, oneOf, type Shaped, text, whole } from '../http/reply-shape.ts';
import type { Route } from '../http/route.ts';
import { pipelineById, relayOf } from './v1-catalog.ts';
import { v1Problem } from './v1-problem.ts';
import { v1Route } from './v1-route.ts';

const lettersShape = object({
  waiting: whole,
  unreadable: whole,
  records: list(
    object({ offset: text, sourceConnectorId: text, nodeId: text, error: text, createdAt: text, record: anyObject }),
  ),
});
const replayShape = object({
  state: oneOf('none', 'running', 'done', 'failed'),
  replayed: whole,
  unreadable: whole,
  error: text,
});

const limitDefault = 100;
const limitMax = 10_000;

export function deadLetterRoutes(hosting: Hosting): readonly Route[] {
  const { pipelines } = hosting;
  return [
    v1Route(
      hosting,
      'GET',
      '/v1/pipelines/{id}/dead-letter-queue/records',
      'Refused records that wait in the file of the dead-letter queue, in their order',
      lettersShape,
      async ({ params, query }) => {
        const pipeline = pipelineById(pipelines, params['id'] ?? '');
        const definition = relayDefinition(pipeline.record, relayOf(pipeline));
        const letters = await listDeadLetters(
          definition,
          { baseFolder: resolve('.'), folder: hosting.deadLetterFolder },
          limitOf(query),
        );
        const shown: Shaped<typeof lettersShape> = {
          waiting: letters.waiting,
          unreadable: letters.unreadable,
          records: letters.letters.map(({ offset, source, node, reason, createdAt, record }) => ({
            offset: String(offset),
            sourceConnectorId: source,
            nodeId: node,
            error: reason,
            createdAt: timeOf(createdAt),
            record,
          })),
        };
        return shown;
      },
      {
        query: { limit: `how many are shown, at most ${limitMax} (default ${limitDefault})` },
        problems: [400, 404, 409],
      },
    ),
    v1Route(
      hosting,
      'POST',
      '/v1/pipelines/{id}/dead-letter-queue/replay',
      'Tries the records again that wait in the dead-letter queue',
      replayShape,
      async ({ params }) => {
        const pipeline = pipelineById(pipelines, params['id'] ?? '');
        const definition = relayDefinition(pipeline.record, relayOf(pipeline));
        deadLetterFile(definition, resolve('.'), hosting.deadLetterFolder);
        const { deployment } = pipeline;
        if (deployment === null || pipeline.record.resources !== 'Provisioned') {
          throw v1Problem('pipeline.not_running', `pipeline '${pipeline.name}' is not running: start it first`);
        }
        // What is wrong with it at once is said at once; what comes later stands in its status.
        let refused: unknown = null;
        const replay = deployment
          .wait('replay', (control, waitId) => control.replayDeadLetters(waitId))
          .catch((error: unknown) => {
            refused = error;
          });
        await withinMoment(hosting, replay);
        const status = await deployment.call('replay', (control) => control.deadLetterReplay());
        if (refused !== null && (status.state === 'none' || status.state === 'running')) throw refused;
        return replayJson(status);
      },
      { problems: [400, 404, 409, 503] },
    ),
    v1Route(
      hosting,
      'GET',
      '/v1/pipelines/{id}/dead-letter-queue/replay',
      'How the latest replay of dead letters goes, or went',
      replayShape,
      async ({ params }) => {
        const pipeline = pipelineById(pipelines, params['id'] ?? '');
        relayOf(pipeline);
        const { deployment } = pipeline;
        if (deployment === null) return replayJson({ state: 'none', replayed: 0, unreadable: 0, error: null });
        return replayJson(await deployment.call('replay', (control) => control.deadLetterReplay()));
      },
      { problems: [404, 409, 503] },
    ),
  ];
}

function replayJson({ state, replayed, unreadable, error }: DeadLetterReplayStatus): Shaped<typeof replayShape> {
  return { state, replayed, unreadable, error: error === null ? '' : errorFromData(error).message };
}

/** @throws HttpProblem common.invalid_argument */
function limitOf(query: URLSearchParams): number {
  const text = query.get('limit') ?? String(limitDefault);
  if (/^\d{1,5}$/.test(text) && Number(text) <= limitMax) return Number(text);
  throw v1Problem('common.invalid_argument', `limit: a whole number up to ${limitMax} is expected`);
}

/** From nanoseconds since 1970 as text. */
function timeOf(nanoseconds: string): string {
  if (!/^\d{7,19}$/.test(nanoseconds)) return '';
  return new Date(Number(nanoseconds.slice(0, -6))).toISOString();
}
