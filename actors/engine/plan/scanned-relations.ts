// Which relations of the program a query reads.
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Rel } from '../sql/bound.ts';

/** Names and schemas of the tables and views that are scanned. */
export function scannedRelations(rel: Rel): Map<string, Schema> {
  const found = new Map<string, Schema>();
  scan(rel, found, new Set());
  return found;
}

/** What is read several times is looked at once. */
function scan(rel: Rel, found: Map<string, Schema>, seen: Set<Rel>): void {
  if (seen.has(rel)) return;
  seen.add(rel);
  switch (rel.kind) {
    case 'scan':
      found.set(rel.relation, rel.schema);
      break;
    case 'values':
      break;
    case 'fixpoint':
      for (const [name, schema] of externalScans(rel)) found.set(name, schema);
      break;
    case 'join':
    case 'asof':
      scan(rel.left, found, seen);
      scan(rel.right, found, seen);
      break;
    case 'union':
      for (const input of rel.inputs) scan(input, found, seen);
      break;
    default:
      scan(rel.input, found, seen);
  }
}

/** What the bodies of a recursion read beside one another. */
export function externalScans(rel: Extract<Rel, { kind: 'fixpoint' }>): Map<string, Schema> {
  const found = new Map<string, Schema>();
  const seen = new Set<Rel>();
  for (const { query } of rel.bodies) scan(query, found, seen);
  for (const { name } of rel.bodies) found.delete(name);
  return found;
}
