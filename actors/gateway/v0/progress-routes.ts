// What a client waits for: completion tokens, transactions, checkpoints.
import { systemClock } from '../../../runtime/clock.ts';
import type { Hosting } from '../hosting/hosting.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { list, moment, object, oneOf, orNull, type Shape, text, uuid, whole } from '../http/reply-shape.ts';
import { json, type Route, type RouteRequest } from '../http/route.ts';
import { checkpointShape } from './descriptor.ts';
import { totals } from './stats-reply.ts';

const completionShape = object({ status: oneOf('complete', 'inprogress'), step: orNull(whole) });
const begunShape = object({ checkpoint_sequence_number: whole, incarnation_uuid: uuid });
const checkpointStatusShape = object({
  success: orNull(whole),
  failure: orNull(object({ sequence_number: whole, error: text, failed_at: moment })),
});

export function progressRoutes(hosting: Hosting): readonly Route[] {
  const named = (request: RouteRequest) => hosting.pipelines.get(request.params['pipeline_name'] ?? '');
  const route = (
    method: Route['method'],
    action: string,
    summary: string,
    shape: Shape<unknown>,
    handle: Route['handle'],
    query: Readonly<Record<string, string>> = {},
  ): Route => ({
    method,
    path: `/v0/pipelines/{pipeline_name}/${action}`,
    summary,
    access: method === 'GET' ? 'read' : 'write',
    query,
    ok: { 200: shape },
    problems: [400, 404, 409, 410, 503],
    handle,
  });
  return [
    route(
      'GET',
      'completion_status',
      'Whether what a token stands for has reached the outputs',
      completionShape,
      async (request) => {
        const token = request.query.get('token');
        if (token === null) {
          throw new HttpProblem({
            status: 400,
            code: 'MissingUrlEncodedParam',
            message: "the parameter 'token' is missing",
            details: { param: 'token' },
          });
        }
        const status = await named(request)
          .deployed()
          .call('completion status', (control) => control.completionStatus(token));
        return json(200, { status: status.complete ? 'complete' : 'inprogress', step: status.step });
      },
      { token: 'of an input or a connector' },
    ),
    route(
      'POST',
      'start_transaction',
      'Everything from now on enters one step',
      object({ transaction_id: whole }),
      async (request) => {
        const pipeline = named(request);
        const deployment = pipeline.deployed();
        const id = await deployment.call('start transaction', (control) => control.startTransaction());
        const { processed, buffered } = totals(
          deployment,
          await deployment.call('stats', (control) => control.stats()),
        );
        pipeline.transaction = { id, startedAt: systemClock.monotonic(), recordsBefore: processed + buffered };
        return json(200, { transaction_id: id });
      },
    ),
    route(
      'POST',
      'commit_transaction',
      'Takes the step of the transaction',
      object({ status: text }),
      async (request) => {
        const pipeline = named(request);
        await pipeline.deployed().call('commit transaction', (control) => control.commitTransaction());
        pipeline.transaction = null;
        return json(200, { status: 'ok' });
      },
    ),
    route(
      'POST',
      'checkpoint',
      'Begins a checkpoint; checkpoint_status says when it is on disk',
      begunShape,
      (request) => {
        const pipeline = named(request);
        const { incarnation } = pipeline.deployed();
        const sequence = hosting.beginCheckpoint(pipeline);
        return json(200, { checkpoint_sequence_number: sequence, incarnation_uuid: incarnation });
      },
    ),
    route(
      'GET',
      'checkpoint_status',
      'The latest checkpoint that is on disk, and the latest that has failed',
      checkpointStatusShape,
      (request) => {
        const pipeline = named(request);
        const { incarnation } = pipeline.deployed();
        const wanted = request.query.get('incarnation_uuid');
        if (wanted !== null && wanted !== '' && wanted !== incarnation) {
          throw new HttpProblem({
            status: 400,
            code: 'IncarnationUuidMismatch',
            message: 'the pipeline has been restarted since',
            details: { expected: wanted, actual: incarnation },
          });
        }
        return json(200, { success: pipeline.checkpointSuccess, failure: pipeline.checkpointFailure });
      },
      { incarnation_uuid: 'of the deployment that is meant' },
    ),
    route('GET', 'checkpoints', 'Checkpoints that are on disk', list(checkpointShape), (request) =>
      json(200, named(request).record.checkpoints ?? []),
    ),
  ];
}
