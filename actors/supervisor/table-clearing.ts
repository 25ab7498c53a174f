// Whether everything that a table holds can be deleted at once, as TRUNCATE does it at the source. Pure.
//
// The engine deletes what it has: a table by its key, or by its whole rows where they are kept. What it does not keep, or would not take a
// deletion of, stays in the views behind it for ever, so that such a table is refused before anything is done.
import type { TableDefinition } from '../engine/messages.ts';

/** Null: it can. */
export function whyNotCleared({
  relation,
  materialized,
  appendOnly,
  lateness,
  watermark,
}: TableDefinition): string | null {
  const { primaryKey, schema } = relation;
  const isKeyed = primaryKey.length > 0;
  if (watermark !== undefined)
    return 'it has a WATERMARK, and rows that still wait for it could not be told from others';
  // A deletion is late by the columns that it names: those of the key, or all.
  const late = schema.fields.findIndex((_, i) => lateness?.[i] != null && (!isKeyed || primaryKey.includes(i)));
  if (late >= 0)
    return `its column "${schema.fields[late]?.name}" has LATENESS, by which deletions of older rows are dropped`;
  if (isKeyed) return null;
  if (appendOnly) return 'it is append_only';
  return materialized ? null : 'it has no primary key and is not materialized, so that its rows are kept nowhere';
}
