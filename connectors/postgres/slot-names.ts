// What the slot and the publication of a follower of changes are called, unless the user says so: all of a server's databases share one
// space of names, and no two pipelines may have one slot.
//
//   millrace_PIPELINE_ENDPOINT_TABLE_hash      as much of the words as 63 bytes leave room for; they are for people
//   hash                                       12 digits, of what the pipeline is told by, the endpoint and the table
//
// What is there is found by its hash, so that a pipeline that is renamed keeps its slot; a connector that turns to another table has another one.
// Versions before had names without the pipeline: who goes on behind such a slot has it copied to its own name, at its place in the log. The
// publication keeps its name then, since the server looks for it in the catalog as it was when a change was made.
import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import { quoteText } from './postgres-connection.ts';
import { dropSlot, type SlotNames, type SlotSettings, slotState } from './replication-slot.ts';

const nameBytesMax = 63;
const hashDigits = 12;

/** Whose slot it is. */
export interface SlotOwner {
  readonly endpoint: string;
  readonly pipeline?: string;
  readonly pipelineId?: string;
}

/** Before the server has been asked. */
export interface WantedNames extends SlotNames {
  readonly hasOwnSlotName: boolean;
  /** `_hash`: what own names end with. */
  readonly ending: string;
  /** What versions before have called it. */
  readonly former: string;
}

export function wantedNames(settings: SlotSettings, owner: SlotOwner): WantedNames {
  const { endpoint, pipeline = '', pipelineId = pipeline } = owner;
  const { source_table: table, slot_name: slot, publication } = settings;
  const identity = JSON.stringify([pipelineId, endpoint, table]);
  const ending = `_${createHash('sha256').update(identity).digest('hex').slice(0, hashDigits)}`;
  const words = plain(['millrace', pipeline, endpoint, table].filter((word) => word !== '').join('_'));
  const own = words.slice(0, nameBytesMax - ending.length) + ending;
  return {
    slot: slot ?? own,
    publication: publication ?? own,
    ownsPublication: publication === undefined,
    hasOwnSlotName: slot === undefined,
    ending,
    former: plain(`millrace_${endpoint}_${table}`).slice(0, nameBytesMax),
  };
}

/** As they are on the server, or will be. `resumesAt`: where in the log a run goes on; null: it begins. */
export async function namesInUse(client: Client, wanted: WantedNames, resumesAt: bigint | null): Promise<SlotNames> {
  const { hasOwnSlotName, ownsPublication, ending, former } = wanted;
  const found = hasOwnSlotName ? await nameThatEnds(client, 'pg_replication_slots', 'slot_name', ending) : null;
  const slot = found ?? wanted.slot;
  if (hasOwnSlotName && found === null && resumesAt !== null) await adopt(client, former, slot, resumesAt);
  if (!ownsPublication) return { slot, publication: wanted.publication, ownsPublication };
  const own = await nameThatEnds(client, 'pg_publication', 'pubname', ending);
  if (own !== null || (await slotState(client, slot)) === null) {
    return { slot, publication: own ?? wanted.publication, ownsPublication };
  }
  const { rows } = await client.query(`SELECT 1 FROM pg_publication WHERE pubname = ${quoteText(former)}`);
  return { slot, publication: rows.length > 0 ? former : wanted.publication, ownsPublication };
}

async function nameThatEnds(client: Client, catalog: string, column: string, ending: string): Promise<string | null> {
  const { rows } = await client.query(
    `SELECT ${column} AS name FROM ${catalog} WHERE starts_with(${column}, 'millrace_') AND right(${column}, ${ending.length}) = ${quoteText(ending)}`,
  );
  return rows[0] === undefined ? null : String(rows[0].name);
}

/** A slot that stands ahead of where this run goes on is somebody else's. */
async function adopt(client: Client, former: string, slot: string, resumesAt: bigint): Promise<void> {
  const state = await slotState(client, former);
  if (state === null || state.isLost || state.unfit !== null || state.confirmed > resumesAt) return;
  await client.query('SELECT pg_copy_logical_replication_slot($1, $2)', [former, slot]);
  await dropSlot(client, { slot: former });
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_');
}
