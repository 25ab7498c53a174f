// Editing a pipeline: what may change in which state, and which version numbers an edit advances.
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import type { HostedPipelines } from '../hosting/pipeline-directory.ts';
import type { PipelineSource } from '../hosting/pipeline-record.ts';
import { HttpProblem } from '../http/http-problem.ts';
import type { SourceEdit } from './pipeline-source.ts';

const programKeys = ['programCode', 'udfRust', 'udfToml', 'programConfig'] as const;
const coreKeys = ['name', 'runtimeConfig', 'workers', ...programKeys] as const;

/** Parts of the runtime configuration that what is stored depends on. */
const storedSettings = [
  'workers',
  'hosts',
  'fault_tolerance',
  'resources.storage_mb_max',
  'resources.namespace',
  'resources.storage_class',
  'clock_timezone_offset',
];

/** The new program is Pending afterwards. @throws HttpProblem; nothing has changed then */
export async function editPipeline(
  pipelines: HostedPipelines,
  pipeline: HostedPipeline,
  edit: SourceEdit,
): Promise<void> {
  const { record } = pipeline;
  assertHasProgram(pipeline);
  const before = record.source;
  const after: PipelineSource = { ...before, ...edit };
  const isChanged = (key: keyof PipelineSource): boolean => JSON.stringify(before[key]) !== JSON.stringify(after[key]);
  const isCore = coreKeys.some(isChanged);
  const isProgram = programKeys.some(isChanged);
  const isPlatformOld = record.platformVersion !== pipelines.surroundings.platformVersion;
  if (!isCore) {
    if (isChanged('description') || isChanged('tags')) pipeline.change({ source: after });
    return await pipeline.save();
  }
  if (!pipeline.isFullyStopped) {
    throw new HttpProblem({
      status: 400,
      code: 'UpdateRestrictedToStopped',
      message: 'a pipeline can be edited only while it is fully stopped',
    });
  }
  if (record.storageStatus !== 'Cleared') refuseStored(before, after);
  if (isChanged('name')) pipelines.rename(pipeline, after.name);
  pipeline.change({
    source: after,
    version: record.version + 1,
    refreshVersion: record.refreshVersion + 1,
    ...(isProgram
      ? {
          programVersion: record.programVersion + 1,
          programStatus: 'Pending',
          programInfo: null,
          connectorEdits: [],
          programError: { sql_compilation: null, rust_compilation: null, system_error: null },
          ...(isPlatformOld ? { platformVersion: pipelines.surroundings.platformVersion } : {}),
        }
      : {}),
  });
  await pipeline.save();
}

/** @throws HttpProblem PipelineHasNoProgram */
export function assertHasProgram({ name, record }: HostedPipeline): void {
  if (record.relay === undefined) return;
  throw new HttpProblem({
    status: 409,
    code: 'PipelineHasNoProgram',
    message: `pipeline '${name}' has no SQL program: it is changed under /v1 or in its file, and is read-only here`,
    details: { pipeline_name: name, provisioned_by: record.relay.provisionedBy },
  });
}

function refuseStored(before: PipelineSource, after: PipelineSource): void {
  const refused = before.name === after.name ? [] : ['`name`'];
  for (const path of storedSettings) {
    if (JSON.stringify(at(before.runtimeConfig, path)) === JSON.stringify(at(after.runtimeConfig, path))) continue;
    refused.push(`\`runtime_config.${path}\``);
  }
  if (refused.length === 0) return;
  throw new HttpProblem({
    status: 400,
    code: 'EditRestrictedToClearedStorage',
    message: `while the storage is not cleared these cannot be edited: ${refused.join(', ')}`,
    details: { not_allowed: refused },
  });
}

function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((part, key) => Object(part)[key], value);
}
