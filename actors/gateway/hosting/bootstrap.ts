// A start from a checkpoint of another program: what of it can be kept, and how the new program comes by it.
//
//   checkpoint ──► old program, restored, without connectors ──contents of the kept tables──► new program ──► its first step
//
// Tables that are the same in both programs keep their contents; every view is computed again from them. Outputs of views that
// have not changed are not told again what they know, none is with a silent bootstrap. Inputs go on where the checkpoint was
// taken, unless they or their tables have changed. Tables whose contents nobody has kept (not materialized, nor shown whole by a
// materialized view, or forgotten behind a LATENESS) cannot be read again: such a start is refused.
import { isDeepStrictEqual } from 'node:util';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import type { BoundProgram } from '../../engine/messages.ts';
import type { CheckpointImage, Store } from '../../store/messages.ts';
import type { HostedPipeline } from './hosted-pipeline.ts';
import { type LiveDeployment, openDeployment } from './live-deployment.ts';
import {
  type ApprovalDiff,
  approvalDiff,
  type ChangedProgram,
  isEmptyDiff,
  isSameProgram,
  sourcesOf,
} from './program-change.ts';
import { compilePipeline } from './program-compilation.ts';
import { transferTable } from './table-transfer.ts';

export const BootstrapImpossible: CodedErrorClass<{ readonly detail: string }> = defineError(
  'bootstrap.impossible',
  { help: 'Start the program that has made the checkpoint, or clear the storage of the pipeline and begin anew.' },
  (f) => `the program cannot go on from the checkpoint of another one: ${f.detail}`,
);

export const BootstrapRejected: CodedErrorClass<{ readonly diff: ApprovalDiff }> = defineError(
  'bootstrap.rejected',
  { help: 'Start with bootstrap_policy=allow or await_approval, or with the program that has made the checkpoint.' },
  () => 'the program or its connectors have changed since the checkpoint, and bootstrap_policy=reject allows no change',
);

export interface Bootstrap {
  readonly diff: ApprovalDiff;
  /** Connectors alone have changed: the engine goes on from the checkpoint. */
  readonly isSameProgram: boolean;
  readonly before: ChangedProgram;
  readonly keptTables: readonly string[];
  /** Of the checkpoint: those that go on. */
  readonly inputs: CheckpointImage['inputs'];
}

/** null: nothing has changed. @throws BootstrapRejected, BootstrapImpossible */
export async function planBootstrap(pipeline: HostedPipeline, image: CheckpointImage): Promise<Bootstrap | null> {
  const { checkpointProgram, connectorEdits = [], source } = pipeline.record;
  // A checkpoint of an earlier version of this server has no program with it; it fits, or the control thread says so.
  if (checkpointProgram === undefined) return null;
  const validation = await pipeline.surroundings.validation();
  const before: ChangedProgram = {
    compiled: compilePipeline(checkpointProgram.programCode, validation),
    edits: checkpointProgram.edits,
  };
  const after: ChangedProgram = { compiled: compilePipeline(source.programCode, validation), edits: connectorEdits };
  const diff = approvalDiff(before, after);
  if (isEmptyDiff(diff)) return null;
  if (pipeline.record.bootstrapPolicy === 'reject') throw new BootstrapRejected({ diff });
  const isSame = isSameProgram(diff);
  const old = before.compiled.program;
  const { program } = after.compiled;
  if (old === null || program === null) throw new BootstrapImpossible({ detail: 'it does not compile any more' });
  const changed = new Set([...diff.program_diff.added_tables, ...diff.program_diff.modified_tables]);
  const kept = program.tables.filter(({ relation }) => !changed.has(relation.name));
  if (!isSame && image.processedRecords > 0) refuseForgotten(kept, program, old);
  const keptTables = kept.map(({ relation }) => relation.name);
  const isKept = (endpoint: string): boolean =>
    !diff.modified_input_connectors.includes(endpoint) && keptTables.some((name) => endpoint.startsWith(`${name}.`));
  return {
    diff,
    isSameProgram: isSame,
    before,
    keptTables,
    inputs: image.inputs.filter(({ endpoint }) => isKept(endpoint)),
  };
}

/** @throws BootstrapImpossible */
function refuseForgotten(kept: BoundProgram['tables'], program: BoundProgram, before: BoundProgram): void {
  for (const { relation, lateness, watermark } of kept) {
    const reader = program.views.find((view) => sourcesOf(program, view.relation.name).has(relation.name));
    if (reader === undefined) continue;
    const what = `view ${reader.relation.name} is computed from table ${relation.name}`;
    if (lateness?.some((each) => each !== null) === true) {
      throw new BootstrapImpossible({ detail: `${what}, which has lateness: rows of it have been forgotten` });
    }
    if (watermark !== undefined) {
      throw new BootstrapImpossible({ detail: `${what}, which has a watermark: rows that wait are in no table yet` });
    }
    if (keeperOf(relation.name, before) === null) {
      throw new BootstrapImpossible({ detail: `${what}, which is not materialized: its rows have no replay source` });
    }
  }
}

/** What holds the rows of a table of the program: itself, or a materialized view of all its columns. null: nothing does. */
function keeperOf(name: string, { tables, views }: BoundProgram): string | null {
  const table = tables.find(({ relation }) => relation.name === name);
  if (table === undefined) return null;
  if (table.materialized || table.relation.primaryKey.length > 0) return name;
  const { fields } = table.relation.schema;
  const same = views.find(({ kind, query, relation, lateness, emitFinal }) => {
    const isPlain = kind === 'materialized' && lateness === undefined && emitFinal === undefined;
    return isPlain && isWhole(query, name) && isDeepStrictEqual(relation.schema.fields, fields);
  });
  return same?.relation.name ?? null;
}

/** Whether a query gives the rows of the table, every column in its place. */
function isWhole(query: BoundProgram['views'][number]['query'], table: string): boolean {
  if (query.kind === 'scan') return query.relation === table;
  if (query.kind !== 'project' || query.columns.length !== query.input.schema.fields.length) return false;
  return (
    isWhole(query.input, table) && query.columns.every((column, i) => column.kind === 'column' && column.ordinal === i)
  );
}

/** The new program has been started, paused. When this resolves it has the contents of the kept tables. */
export async function runBootstrap(
  pipeline: HostedPipeline,
  deployment: LiveDeployment,
  bootstrap: Bootstrap,
  image: CheckpointImage,
  store: Store,
): Promise<void> {
  const { record, surroundings } = pipeline;
  const { checkpointProgram } = record;
  if (checkpointProgram === undefined) return;
  const { diff, before, keptTables } = bootstrap;
  const renewed = [...diff.program_diff.added_views, ...diff.program_diff.modified_views];
  const quiet = deployment.status.connectors.filter(
    ({ direction, relation, paused }) =>
      direction === 'output' && !paused && (record.silentBootstrap || !renewed.includes(relation)),
  );
  const declared = [
    ...before.compiled.inputs.map(({ endpoint }) => ({ direction: 'input' as const, endpoint })),
    ...before.compiled.outputs.map(({ endpoint }) => ({ direction: 'output' as const, endpoint })),
  ];
  const old = await openDeployment({
    name: `${pipeline.name} (checkpoint)`,
    request: {
      source: {
        definition: { name: pipeline.name, program: checkpointProgram.programCode },
        baseFolder: surroundings.baseFolder,
      },
      stepRowsMax: null,
      edits: declared.map((connector) => ({ ...connector, name: '', definition: null })),
      restore: { ...image, inputs: [] },
      // It takes none, and has no connectors; those that are declared in its text are checked all the same.
      acknowledgesCheckpoints: true,
    },
    spare: surroundings.spare,
    onLog: () => {},
    onStatus: () => {},
    journal: { store, id: record.id, keeps: false },
  });
  try {
    await old.call('bootstrap', (control) => control.start({ paused: true }));
    for (const { endpoint } of quiet) await deployment.call('pause', (control) => control.pauseConnector(endpoint));
    await deployment.call('bootstrap', (control) => control.startTransaction());
    const tokens: string[] = [];
    for (const table of deployment.tables) {
      const source = before.compiled.program === null ? null : keeperOf(table.name, before.compiled.program);
      if (source === null || !keptTables.includes(table.name)) continue;
      tokens.push(await transferTable(table, { source, from: old, to: deployment }));
    }
    await deployment.call('bootstrap', (control) => control.commitTransaction());
    for (const token of tokens) await deployment.wait('bootstrap', (control, id) => control.tokenCompleted(id, token));
    for (const { endpoint } of quiet) await deployment.call('resume', (control) => control.resumeConnector(endpoint));
    pipeline.log('info', `${tokens.length} tables taken over from the checkpoint of the program before`);
  } finally {
    await old.end();
  }
}
