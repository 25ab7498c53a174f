// Which relations of the program a query reads.
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Rel } from '../sql/bound.ts';

/** Names and schemas of the tables and views that are scanned. */
export function scannedRelations(rel: Rel, found: Map<string, Schema> = new Map()): Map<string, Schema> {
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
      scannedRelations(rel.left, found);
      scannedRelations(rel.right, found);
      break;
    case 'union':
      for (const input of rel.inputs) scannedRelations(input, found);
      break;
    default:
      scannedRelations(rel.input, found);
  }
  return found;
}

/** What the bodies of a recursion read beside one another. */
export function externalScans(rel: Extract<Rel, { kind: 'fixpoint' }>): Map<string, Schema> {
  const found = new Map<string, Schema>();
  for (const { query } of rel.bodies) scannedRelations(query, found);
  for (const { name } of rel.bodies) found.delete(name);
  return found;
}
