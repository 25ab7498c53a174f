// The counters of HTTP inputs across deployments: a checkpoint remembers them beside the rows that they have brought, a start
// from it begins with them. An input that is opened again goes on counting where its record stands.
import type { ApiInput, Deployment } from './deployment.ts';
import type { StoredApiInput } from './pipeline-record.ts';

export function storedApiInputs(deployment: Deployment): readonly StoredApiInput[] {
  return [...deployment.apiInputs.values()].map(
    ({ endpoint, relation, totalRecords, totalBytes, numParseErrors, parseErrors }) => {
      return { endpoint, relation, totalRecords, totalBytes, numParseErrors, parseErrors: [...parseErrors] };
    },
  );
}

/** Inputs of tables that are no more are forgotten. */
export function restoreApiInputs(deployment: Deployment, stored: readonly StoredApiInput[]): void {
  for (const each of stored) {
    if (!deployment.tables.some(({ name }) => name === each.relation)) continue;
    const idle: ApiInput = { ...each, bufferedRecords: () => 0, bufferedBytes: () => 0 };
    deployment.apiInputs.set(each.endpoint, idle);
  }
}
