// Deleted connectors that could not be told of it: which they are and why, and the call that gives one up. Of our own: Conduit has
// no such routes.

import type { Hosting } from '../hosting/hosting.ts';
import type { OwedDeletion } from '../hosting/owed-deletions.ts';
import { timeText } from '../hosting/pipeline-record.ts';
import type { Principal } from '../http/principal.ts';
import { list, moment, object, type Shaped, text, whole } from '../http/reply-shape.ts';
import type { Route } from '../http/route.ts';
import { v1Problem } from './v1-problem.ts';
import { connectorTypeShape } from './v1-reply.ts';
import { emptyShape, v1Route } from './v1-route.ts';

const deletionShape = object({
  connectorId: text,
  pipelineId: text,
  type: connectorTypeShape,
  plugin: text,
  attempts: whole,
  error: text,
  nextAttemptAt: moment,
});

export function deletionRoutes(hosting: Hosting): readonly Route[] {
  return [
    v1Route(
      hosting,
      'GET',
      '/v1/connectors/deletions',
      'Deleted connectors that have not been told of it yet: they are tried again until they are, or are given up',
      list(deletionShape),
      async ({ principal }) => (await visible(hosting, principal)).map(show),
      { problems: [], isFiltered: true },
    ),
    v1Route(
      hosting,
      'DELETE',
      '/v1/connectors/deletions/{id}',
      'Gives up telling a deleted connector of it',
      emptyShape,
      async ({ params, principal, query }) => {
        const id = params['id'] ?? '';
        const pipeline = query.get('pipelineId');
        const found = (await visible(hosting, principal)).filter(
          ({ owed }) => owed.mark.connector === id && (pipeline === null || owed.pipeline === pipeline),
        );
        if (found.length === 0) {
          throw v1Problem('connector.instance_not_found', `no deletion is owed to a connector ${id}`);
        }
        for (const { owed } of found) await hosting.owed.giveUp(owed);
        return {};
      },
      { query: { pipelineId: 'of this pipeline alone' }, isFiltered: true },
    ),
  ];
}

/** A key of some pipelines sees those of pipelines that are still there. */
async function visible(hosting: Hosting, principal: Principal | null): Promise<readonly OwedDeletion[]> {
  const names = principal?.pipelines ?? null;
  const isSeen = (id: string): boolean => names?.includes(hosting.pipelines.byId(id)?.name ?? '') ?? true;
  return (await hosting.owed.list()).filter(({ owed }) => isSeen(owed.pipeline));
}

function show({ owed, attempts, error, nextAttemptAt }: OwedDeletion): Shaped<typeof deletionShape> {
  const { connector, type, plugin } = owed.mark;
  return {
    connectorId: connector,
    pipelineId: owed.pipeline,
    type: type === 'source' ? 'TYPE_SOURCE' : 'TYPE_DESTINATION',
    plugin,
    attempts,
    error: error ?? '',
    nextAttemptAt: timeText(nextAttemptAt),
  };
}
