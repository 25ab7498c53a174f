// What has changed between two programs and their connectors, in the form in which `/v0` shows it for approval. Pure.
//
// A view is modified when its query is, or anything that it reads, directly or not. What a connector does with its queue, and
// when it starts, is no change of it. Local views are no part of the lists, but of what others depend on.
import { canonicalJson } from '../../../runtime/canonical-json.ts';
import type { BoundProgram } from '../../engine/messages.ts';
import type { ConnectorEdit } from '../embedded/control-interface.ts';
import type { CompiledPipeline, DeclaredConnector } from './program-compilation.ts';

export interface ProgramDiff {
  readonly added_tables: readonly string[];
  readonly removed_tables: readonly string[];
  readonly modified_tables: readonly string[];
  readonly added_views: readonly string[];
  readonly removed_views: readonly string[];
  readonly modified_views: readonly string[];
}

/** The keys are those of `/v0`. */
export interface ApprovalDiff {
  readonly program_diff: ProgramDiff;
  readonly program_diff_error: null;
  readonly added_input_connectors: readonly string[];
  readonly modified_input_connectors: readonly string[];
  readonly removed_input_connectors: readonly string[];
  readonly added_output_connectors: readonly string[];
  readonly modified_output_connectors: readonly string[];
  readonly removed_output_connectors: readonly string[];
}

/** A program with the connectors that have come and gone since it was written. */
export interface ChangedProgram {
  readonly compiled: CompiledPipeline;
  readonly edits: readonly ConnectorEdit[];
}

export function approvalDiff(before: ChangedProgram, after: ChangedProgram): ApprovalDiff {
  const inputs = changes(connectorTexts(before, 'input'), connectorTexts(after, 'input'));
  const outputs = changes(connectorTexts(before, 'output'), connectorTexts(after, 'output'));
  return {
    program_diff: programDiff(before.compiled.program, after.compiled.program),
    program_diff_error: null,
    added_input_connectors: inputs.added,
    modified_input_connectors: inputs.modified,
    removed_input_connectors: inputs.removed,
    added_output_connectors: outputs.added,
    modified_output_connectors: outputs.modified,
    removed_output_connectors: outputs.removed,
  };
}

/** Nothing of the program itself; connectors may differ. */
export function isSameProgram({ program_diff }: ApprovalDiff): boolean {
  return Object.values(program_diff).every((names: readonly string[]) => names.length === 0);
}

export function isEmptyDiff(diff: ApprovalDiff): boolean {
  const { program_diff: _, program_diff_error: __, ...connectors } = diff;
  return isSameProgram(diff) && Object.values(connectors).every((names) => names.length === 0);
}

/** Every relation that a relation of the program is computed from, itself among them. */
export function sourcesOf(program: BoundProgram, name: string): ReadonlySet<string> {
  const found = new Set([name]);
  // A set takes in what is added while it is walked.
  for (const each of found) {
    const view = program.views.find((candidate) => candidate.relation.name === each);
    if (view !== undefined) for (const read of scanned(view.query)) found.add(read);
  }
  return found;
}

function programDiff(before: BoundProgram | null, after: BoundProgram | null): ProgramDiff {
  const tables = changes(texts(before?.tables), texts(after?.tables));
  const own = changes(texts(before?.views), texts(after?.views));
  const changed = new Set([...tables.added, ...tables.modified, ...tables.removed]);
  for (const name of [...own.added, ...own.modified, ...own.removed]) changed.add(name);
  const isModified = (name: string): boolean =>
    own.modified.includes(name) ||
    (after !== null && [...sourcesOf(after, name)].some((source) => source !== name && changed.has(source)));
  const shown = (program: BoundProgram | null): readonly string[] =>
    (program?.views ?? []).filter((view) => view.kind !== 'local').map((view) => view.relation.name);
  const kept = shown(after).filter((name) => !own.added.includes(name));
  return {
    added_tables: tables.added,
    removed_tables: tables.removed,
    modified_tables: tables.modified,
    added_views: shown(after).filter((name) => own.added.includes(name)),
    removed_views: shown(before).filter((name) => own.removed.includes(name)),
    modified_views: kept.filter(isModified),
  };
}

type Texts = ReadonlyMap<string, string>;

interface Changes {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly modified: readonly string[];
}

/** In the order of their names. */
function changes(before: Texts, after: Texts): Changes {
  const names = (all: Texts, isChanged: (name: string) => boolean) => [...all.keys()].filter(isChanged).sort();
  return {
    added: names(after, (name) => !before.has(name)),
    removed: names(before, (name) => !after.has(name)),
    modified: names(after, (name) => before.has(name) && before.get(name) !== after.get(name)),
  };
}

type Definition = BoundProgram['tables'][number] | BoundProgram['views'][number];

function texts(definitions: readonly Definition[] = []): Texts {
  return new Map(definitions.map((each) => [each.relation.name, canonicalJson(each, isNoState)]));
}

function isNoState(key: string, value: unknown): boolean {
  if (key === 'connectors' || key === 'place') return true;
  return key === 'source' && typeof value === 'object' && value !== null && 'place' in value;
}

const flowControl: readonly string[] = [
  'name',
  'stream',
  'paused',
  'labels',
  'start_after',
  'on_dependency_failure',
  'max_queued_records',
  'max_queued_bytes',
  'max_batch_size',
  'max_worker_batch_size',
];

function connectorTexts({ compiled, edits }: ChangedProgram, direction: 'input' | 'output'): Texts {
  const declared: readonly DeclaredConnector[] = direction === 'input' ? compiled.inputs : compiled.outputs;
  const texts = new Map(declared.map(({ endpoint, definition }) => [endpoint, connectorText(definition)]));
  for (const edit of edits) {
    if (edit.direction !== direction) continue;
    if (edit.definition === null) texts.delete(edit.endpoint);
    else texts.set(edit.endpoint, connectorText(edit.definition));
  }
  return texts;
}

function connectorText(definition: unknown): string {
  const entries = Object.entries(Object(definition)).filter(([key]) => !flowControl.includes(key));
  return canonicalJson(Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))), () => false);
}

/** Names of what a query reads itself. */
function scanned(query: unknown): Set<string> {
  const names = new Set<string>();
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null || ArrayBuffer.isView(node)) return;
    if ('kind' in node && node.kind === 'scan' && 'relation' in node && typeof node.relation === 'string') {
      names.add(node.relation);
    }
    for (const part of Object.values(node)) walk(part);
  };
  walk(query);
  return names;
}
