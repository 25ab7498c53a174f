// Creating, reading, editing and deleting pipelines. An answer comes when the program is compiled, or after a quarter of a
// second; what it shows is the pipeline as the edit has left it, before the compiler.
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import type { Hosting } from '../hosting/hosting.ts';
import { withinMoment } from '../hosting/moment.ts';
import { compile } from '../hosting/pipeline-run.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { list, nothing } from '../http/reply-shape.ts';
import { json, type Route } from '../http/route.ts';
import { describeEdited, describePipeline, editedShape, pipelineShape, readSelector } from './descriptor.ts';
import { assertHasProgram, editPipeline } from './pipeline-edit.ts';
import { readEdit, readSource } from './pipeline-source.ts';

const uncached = { 'Cache-Control': 'no-cache' };
const selectorQuery = { selector: 'all, status or status_with_connectors' };

export function definitionRoutes(hosting: Hosting): readonly Route[] {
  const { pipelines } = hosting;
  const compiled = (pipeline: HostedPipeline): Promise<void> =>
    withinMoment(
      hosting,
      pipeline.exclusively(() => compile(pipeline)),
    );
  const create = async (body: unknown): Promise<unknown> => {
    const pipeline = pipelines.create(readSource(body));
    await pipeline.save();
    const shown = describeEdited(pipeline);
    await compiled(pipeline);
    return shown;
  };
  return [
    {
      method: 'GET',
      path: '/v0/pipelines',
      summary: 'Every pipeline',
      access: 'read',
      query: selectorQuery,
      ok: { 200: list(pipelineShape) },
      problems: [400],
      handle: ({ query }) => {
        const selector = readSelector(query);
        return json(
          200,
          pipelines.list().map((pipeline) => describePipeline(pipeline, selector)),
          uncached,
        );
      },
    },
    {
      method: 'POST',
      path: '/v0/pipelines',
      summary: 'Creates a pipeline and compiles its program',
      access: 'write',
      hasBody: true,
      ok: { 201: editedShape },
      problems: [400, 409],
      handle: async ({ body }) => json(201, await create(body), uncached),
    },
    {
      method: 'GET',
      path: '/v0/pipelines/{pipeline_name}',
      summary: 'One pipeline',
      access: 'read',
      query: selectorQuery,
      ok: { 200: pipelineShape },
      problems: [400, 404],
      handle: ({ params, query }) =>
        json(200, describePipeline(pipelines.get(params['pipeline_name'] ?? ''), readSelector(query)), uncached),
    },
    {
      method: 'PUT',
      path: '/v0/pipelines/{pipeline_name}',
      summary: 'Creates a pipeline, or replaces all of its definition',
      access: 'write',
      hasBody: true,
      ok: { 200: editedShape, 201: editedShape },
      problems: [400, 409],
      handle: async ({ params, body }) => {
        const name = params['pipeline_name'] ?? '';
        const source = readSource(body);
        const found = pipelines.find(name);
        if (found === undefined) {
          if (source.name !== name) {
            throw new HttpProblem({
              status: 400,
              code: 'CannotRenameNonExistingPipeline',
              message: `there is no pipeline '${name}' that could be renamed to '${source.name}'`,
            });
          }
          return json(201, await create(body), uncached);
        }
        await editPipeline(pipelines, found, source);
        const shown = describeEdited(found);
        await compiled(found);
        return json(200, shown, uncached);
      },
    },
    {
      method: 'PATCH',
      path: '/v0/pipelines/{pipeline_name}',
      summary: 'Edits some fields of a definition',
      access: 'write',
      hasBody: true,
      ok: { 200: editedShape },
      problems: [400, 404, 409],
      handle: async ({ params, body }) => {
        const pipeline = pipelines.get(params['pipeline_name'] ?? '');
        await editPipeline(pipelines, pipeline, readEdit(body));
        const shown = describeEdited(pipeline);
        await compiled(pipeline);
        return json(200, shown, uncached);
      },
    },
    {
      method: 'DELETE',
      path: '/v0/pipelines/{pipeline_name}',
      summary: 'Deletes a pipeline that is stopped and cleared',
      access: 'write',
      ok: { 200: nothing },
      problems: [400, 404, 409],
      handle: async ({ params }) => {
        const pipeline = pipelines.get(params['pipeline_name'] ?? '');
        assertHasProgram(pipeline);
        if (!pipeline.isFullyStopped) throw restricted('DeleteRestrictedToFullyStopped', 'it is not fully stopped');
        if (pipeline.record.storageStatus !== 'Cleared') {
          throw restricted(
            'DeleteRestrictedToClearedStorage',
            'its storage is not cleared (POST …/clear, or millrace delete --force)',
          );
        }
        await hosting.plugins.programDeleted(pipeline);
        await pipelines.delete(pipeline);
        // Nobody waits for servers that may be away.
        void hosting.owed.begin();
        return json(200, undefined, uncached);
      },
    },
  ];
}

function restricted(code: string, why: string): HttpProblem {
  return new HttpProblem({ status: 400, code, message: `the pipeline cannot be deleted: ${why}` });
}
