// Contexts for tests of connectors: a stop button, a clock that is moved by hand, and what was reported.
import type { DestinationContext } from '../../connectors/sdk/destination.ts';
import type { Payload, Source, SourceContext } from '../../connectors/sdk/source.ts';
import { type Field, makeSchema, type Relation } from '../../runtime/batch/schema.ts';
import type { SqlType } from '../../runtime/batch/sql-type.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { MillraceError } from '../../runtime/errors.ts';

export type TestContext = SourceContext &
  DestinationContext & {
    readonly controller: AbortController;
    readonly reported: string[];
    readonly logged: string[];
    /** Counts and error texts, in the order in which a destination gave them. */
    readonly outcomes: (number | string)[];
  };

export function contextFor(relation: Relation, baseFolder: string, clock: Clock = systemClock): TestContext {
  const controller = new AbortController();
  const reported: string[] = [];
  const logged: string[] = [];
  const outcomes: (number | string)[] = [];
  return {
    endpoint: `${relation.name}.test`,
    relation,
    baseFolder,
    clock,
    controller,
    signal: controller.signal,
    reported,
    logged,
    outcomes,
    acknowledged: (count) => void outcomes.push(count),
    refused: (error) => void outcomes.push(error.message),
    reportError: (error) => void reported.push(error instanceof MillraceError ? error.code : String(error)),
    log: (message) => void logged.push(message),
  };
}

/** A relation of nullable columns; a name that ends in `!` is NOT NULL. */
export function relationOf(columns: Readonly<Record<string, SqlType>>, name = 't'): Relation {
  const fields = Object.entries(columns).map(([key, type]): Field => {
    return { name: key.replace('!', ''), type, nullable: !key.endsWith('!') };
  });
  return { name, schema: makeSchema(fields), primaryKey: [] };
}

export const bigint: SqlType = { kind: 'BIGINT' };
export const varchar: SqlType = { kind: 'VARCHAR', length: null };

/** Time passes only when somebody waits: timers fire at once, in the order in which they are due. */
export function eagerClock(): Clock & { readonly waited: number[] } {
  let now = 0;
  const waited: number[] = [];
  const after: Clock['after'] = (ms, call) => {
    let cancelled = false;
    setImmediate(() => {
      if (cancelled) return;
      now += ms;
      waited.push(ms);
      call();
    });
    return { cancel: () => void (cancelled = true) };
  };
  return { now: () => now, monotonic: () => now, after, every: after, waited };
}

export async function readBytes(source: Source): Promise<string> {
  let text = '';
  for await (const payload of source.read()) if (payload.kind === 'bytes') text += Buffer.from(payload.bytes);
  return text;
}

export async function readAll(source: Source): Promise<readonly Payload[]> {
  const payloads: Payload[] = [];
  for await (const payload of source.read()) payloads.push(payload);
  return payloads;
}

/** The code of the error that `call` ends with, and what it suggests. */
export async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (thrown) {
    if (!(thrown instanceof MillraceError)) throw thrown;
    return thrown.suggestion === undefined ? thrown.code : `${thrown.code} ${thrown.suggestion}`;
  }
  return 'no error';
}
