// Programs: compiled without a pipeline, or again with the compiler of this server.

import type { Hosting } from '../hosting/hosting.ts';
import { withinMoment } from '../hosting/moment.ts';
import { compile } from '../hosting/pipeline-run.ts';
import { approvalDiff } from '../hosting/program-change.ts';
import { compilePipeline } from '../hosting/program-compilation.ts';
import { sqlMessages } from '../hosting/program-error.ts';
import { programInfo } from '../hosting/program-info.ts';
import { programPlan } from '../hosting/program-plan.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { either, list, nothing, object, whole } from '../http/reply-shape.ts';
import { json, type Route } from '../http/route.ts';
import { describeEdited, editedShape } from './descriptor.ts';
import { diffShape, planShape, programInfoShape, sqlMessageShape } from './program-shape.ts';

const validationShape = either(
  object({ SqlError: object({ info: object({ exit_code: whole, messages: list(sqlMessageShape) }) }) }),
  object({ Success: object({ program_info: programInfoShape }) }),
);

export function programRoutes(hosting: Hosting): readonly Route[] {
  const { pipelines } = hosting;
  return [
    {
      method: 'POST',
      path: '/v0/validate_program',
      summary: 'Compiles a program',
      access: 'read',
      hasBody: true,
      ok: { 200: validationShape },
      problems: [400],
      handle: async ({ body }) => {
        const { program_code: text, ir } = Object(body);
        if (typeof text !== 'string') {
          throw new HttpProblem({ status: 400, code: 'InvalidParam', message: 'missing field `program_code`' });
        }
        const compiled = compilePipeline(text, await pipelines.surroundings.validation());
        const messages = sqlMessages(compiled, text);
        if (messages.length > 0) return json(200, { SqlError: { info: { exit_code: 1, messages } } });
        const dataflow = ir === true && compiled.program !== null ? programPlan(compiled.program) : null;
        return json(200, { Success: { program_info: { ...programInfo(compiled), dataflow } } });
      },
    },
    {
      method: 'POST',
      path: '/v0/pipelines/{pipeline_name}/diff',
      summary: 'What a program would change of the one that the pipeline has',
      access: 'read',
      hasBody: true,
      ok: { 200: diffShape },
      problems: [400, 404],
      handle: async ({ params, body }) => {
        const { record } = pipelines.get(params['pipeline_name'] ?? '');
        const text = programCodeOf(body) ?? record.source.programCode;
        const validation = await pipelines.surroundings.validation();
        if (record.programStatus !== 'Success') throw notCompiled(record.source.name, record.programStatus);
        const after = compilePipeline(text, validation);
        const messages = sqlMessages(after, text);
        if (messages.length > 0) {
          throw new HttpProblem({
            status: 400,
            code: 'InvalidNewProgramSql',
            message: `the program does not compile: ${messages.map(({ message }) => message).join('; ')}`,
            details: { messages },
          });
        }
        const edits = record.connectorEdits ?? [];
        const before = { compiled: compilePipeline(record.source.programCode, validation), edits };
        const isEdited = text !== record.source.programCode;
        return json(200, approvalDiff(before, { compiled: after, edits: isEdited ? [] : edits }));
      },
    },
    {
      method: 'GET',
      path: '/v0/pipelines/{pipeline_name}/dataflow_graph',
      summary: 'The plan of the program',
      access: 'read',
      ok: { 200: planShape },
      problems: [404],
      handle: async ({ params }) => {
        const pipeline = pipelines.get(params['pipeline_name'] ?? '');
        const { program } = compilePipeline(
          pipeline.record.source.programCode,
          await pipelines.surroundings.validation(),
        );
        if (program === null || pipeline.record.programStatus !== 'Success') {
          throw notCompiled(pipeline.name, pipeline.record.programStatus);
        }
        return json(200, programPlan(program));
      },
    },
    {
      method: 'POST',
      path: '/v0/pipelines/{pipeline_name}/testing',
      summary: 'Sets the version that a stopped pipeline is said to be compiled with, for tests of clients',
      access: 'admin',
      query: { set_platform_version: 'any text' },
      ok: { 200: nothing },
      problems: [400, 404],
      handle: async ({ params, query }) => {
        const pipeline = pipelines.get(params['pipeline_name'] ?? '');
        const version = query.get('set_platform_version');
        if (version === null || version === '') {
          throw new HttpProblem({
            status: 400,
            code: 'MissingUrlEncodedParam',
            message: "the parameter 'set_platform_version' is missing",
            details: { param: 'set_platform_version' },
          });
        }
        pipeline.change({ platformVersion: version });
        await pipeline.save();
        return json(200, undefined);
      },
    },
    {
      method: 'POST',
      path: '/v0/pipelines/{pipeline_name}/update_runtime',
      summary: 'Compiles the program again with this version of the server',
      access: 'write',
      ok: { 200: editedShape },
      problems: [400, 404],
      handle: async ({ params }) => {
        const pipeline = pipelines.get(params['pipeline_name'] ?? '');
        const { record } = pipeline;
        if (record.platformVersion !== pipelines.surroundings.platformVersion) {
          if (!pipeline.isFullyStopped) {
            throw new HttpProblem({
              status: 400,
              code: 'UpdateRestrictedToStopped',
              message: 'a pipeline can be updated only while it is fully stopped',
            });
          }
          pipeline.change({
            platformVersion: pipelines.surroundings.platformVersion,
            version: record.version + 1,
            programVersion: record.programVersion + 1,
            refreshVersion: record.refreshVersion + 1,
            programStatus: 'Pending',
            programInfo: null,
          });
          await withinMoment(
            hosting,
            pipeline.exclusively(() => compile(pipeline)),
          );
        }
        return json(200, describeEdited(pipeline));
      },
    },
  ];
}

function notCompiled(name: string, status: string): HttpProblem {
  return new HttpProblem({
    status: 404,
    code: 'ProgramNotCompiled',
    message: `the program of pipeline '${name}' is not compiled (${status})`,
  });
}

/** The program of a body; null: it names none. */
function programCodeOf(body: unknown): string | null {
  const refuse = (message: string): never => {
    throw new HttpProblem({ status: 400, code: 'InvalidParam', message });
  };
  if (body === undefined || body === null) return null;
  if (typeof body !== 'object' || Array.isArray(body)) return refuse('the body is no JSON object');
  const text: unknown = Reflect.get(body, 'program_code') ?? null;
  return text === null || typeof text === 'string' ? text : refuse('`program_code` is no text');
}
