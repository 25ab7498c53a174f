// The pipelines of a server by name. Creating and deleting happen here and nowhere else; names are unique.
import { randomUUID } from 'node:crypto';
import { nearestName } from '../../../runtime/nearest-name.ts';
import { HttpProblem } from '../http/http-problem.ts';
import type { Deployment, PipelineDirectory } from './deployment.ts';
import { HostedPipeline, type HostingSurroundings } from './hosted-pipeline.ts';
import { makeRecord, type PipelineRecord, type PipelineSource, timeText } from './pipeline-record.ts';
import { successfulProgram } from './program-error.ts';
import type { RelayPipeline } from './relay-record.ts';
import type { StoredHistory } from './stored-history.ts';

export class HostedPipelines implements PipelineDirectory {
  readonly surroundings: HostingSurroundings;
  readonly #pipelines = new Map<string, HostedPipeline>();
  readonly #byId = new Map<string, HostedPipeline>();

  constructor(surroundings: HostingSurroundings) {
    this.surroundings = surroundings;
  }

  /** By name. */
  list(): readonly HostedPipeline[] {
    return [...this.#pipelines.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  find(name: string): HostedPipeline | undefined {
    return this.#pipelines.get(name);
  }

  byId(id: string): HostedPipeline | undefined {
    return this.#byId.get(id);
  }

  /** @throws HttpProblem UnknownPipelineName */
  get(name: string): HostedPipeline {
    const found = this.#pipelines.get(name);
    if (found !== undefined) return found;
    const nearest = nearestName(name, [...this.#pipelines.keys()]);
    const hint = nearest === undefined || nearest === null ? '' : `; did you mean '${nearest}'?`;
    throw new HttpProblem({
      status: 404,
      code: 'UnknownPipelineName',
      message: `Unknown pipeline name '${name}'${hint}`,
      details: { pipeline_name: name },
    });
  }

  deployed(name: string): Deployment {
    return this.get(name).deployed();
  }

  /** @throws HttpProblem DuplicateName */
  create(
    source: PipelineSource,
    options: { readonly id?: string; readonly relay?: RelayPipeline } = {},
  ): HostedPipeline {
    this.#assertFree(source.name);
    const { clock, platformVersion } = this.surroundings;
    const { id = randomUUID(), relay } = options;
    const record = makeRecord(id, source, platformVersion, timeText(clock.now()));
    if (relay === undefined) return this.restore(record, null);
    // There is no program: nothing of it can be wrong.
    // It has been changed when it was made, not a moment before.
    const dated = { ...relay, updatedAt: record.createdAt };
    return this.restore({ ...record, relay: dated, programStatus: 'Success', programError: successfulProgram }, null);
  }

  /** A pipeline that was there before the server was restarted. */
  restore(record: PipelineRecord, history: StoredHistory | null): HostedPipeline {
    const pipeline = new HostedPipeline(record, this.surroundings, history);
    this.#pipelines.set(pipeline.name, pipeline);
    this.#byId.set(record.id, pipeline);
    return pipeline;
  }

  /** Before the record gets its new name. @throws HttpProblem DuplicateName */
  rename(pipeline: HostedPipeline, name: string): void {
    if (name === pipeline.name) return;
    this.#assertFree(name);
    this.#pipelines.delete(pipeline.name);
    this.#pipelines.set(name, pipeline);
  }

  async delete(pipeline: HostedPipeline): Promise<void> {
    this.#pipelines.delete(pipeline.name);
    this.#byId.delete(pipeline.record.id);
    pipeline.logs.end();
    pipeline.inspections.close();
    await this.surroundings.remove(pipeline.record);
  }

  #assertFree(name: string): void {
    if (!this.#pipelines.has(name)) return;
    throw new HttpProblem({
      status: 409,
      code: 'DuplicateName',
      message: `An entity with the name '${name}' already exists`,
    });
  }
}
