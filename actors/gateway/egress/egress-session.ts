// One listener from request to end, whatever it is reached by: relation, hub, where it begins, snapshot, and the wait until
// it is over.
//
// Everything that can be refused is refused before the sink is made, that is, before the head of a reply.
import type { Relation } from '../../../runtime/batch/schema.ts';
import type { FrameReceiver } from '../../../runtime/mailbox/channel.ts';
import type { Deployment } from '../hosting/deployment.ts';
import { relationByPath } from '../hosting/relation-name.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { openPrinter, sealBody } from './chunk-printer.ts';
import type { EgressHub } from './egress-hub.ts';
import type { EgressListener } from './egress-listener.ts';
import type { EgressRequest } from './egress-request.ts';
import type { EgressSink } from './egress-sink.ts';
import { type EgressOptions, type HubDirectory, hubsOf } from './hub-directory.ts';

export interface EgressSession {
  readonly deployment: Deployment;
  /** As the path names it. */
  readonly relation: string;
  readonly request: EgressRequest;
  readonly options: EgressOptions;
  readonly signal: AbortSignal;
  /** The path, for the way to a snapshot. */
  readonly path: string;
  /** `Last-Event-ID` of Server-Sent Events: a listener that cannot be refused. */
  readonly lastEventId: string | null;
  readonly makeSink: () => EgressSink;
}

/** Resolves when the listener has gone or the stream is over. @throws HttpProblem before the sink is made. */
export async function runEgress(session: EgressSession): Promise<void> {
  const { deployment, request, signal } = session;
  const described = describedRelation(deployment, session.relation);
  const { relation, materialized } = described;
  if (request.sendSnapshot && !materialized) throw notMaterialized(relation.name);
  const directory = hubsOf(deployment, session.options);
  const dismiss = directory.admit();
  try {
    const isFresh = typeof request.from !== 'number' && session.lastEventId === null && !request.sendSnapshot;
    const commit = isFresh ? await commitStep(deployment) : 0;
    const hub = await directory.acquire(relation, request.print);
    try {
      if (signal.aborted) return;
      const start = startOf(session, hub, materialized);
      const sink = session.makeSink();
      const listener = hub.attach(
        sink,
        {
          backpressure: request.backpressure,
          numbering: request.from === null ? 'connection' : 'incarnation',
          header: request.header ? headerOf(relation, request) : '',
          snapshot: start.snapshot,
          emptyData: request.emptyData,
          reset: start.reset,
        },
        { from: start.from, skipThrough: commit },
      );
      await listenerOver(session, listener, directory, relation, start.snapshot);
      if (hub.failure !== null) throw hub.failure;
    } finally {
      hub.release();
    }
  } finally {
    dismiss();
  }
}

async function listenerOver(
  session: EgressSession,
  listener: EgressListener,
  directory: HubDirectory,
  relation: Relation,
  snapshot: boolean,
): Promise<void> {
  const abort = (): void => listener.destroy();
  session.signal.addEventListener('abort', abort, { once: true });
  try {
    if (snapshot) await sendSnapshot(session, directory, relation, listener);
    await listener.over;
  } finally {
    session.signal.removeEventListener('abort', abort);
    listener.destroy();
  }
}

/** The step of the transaction that is open: who comes meanwhile begins behind it. 0: none is. */
async function commitStep(deployment: Deployment): Promise<number> {
  const { transaction, engine } = await deployment.call('egress', (control) => control.stats());
  return transaction === null ? 0 : (engine?.steps ?? 0) + 1;
}

type DataFrame = NonNullable<ReturnType<FrameReceiver['take']>>;

interface Start {
  readonly from: number | null;
  readonly snapshot: boolean;
  readonly reset: string | null;
}

/** @throws HttpProblem 409 */
function startOf(session: EgressSession, hub: EgressHub, materialized: boolean): Start {
  const { request, lastEventId } = session;
  if (lastEventId !== null) {
    const [, incarnation = '', number = ''] = /^(.*):(\d+)$/.exec(lastEventId) ?? [];
    const problem = refusal(session, hub, materialized, incarnation, Number(number) + 1);
    if (problem === null) return { from: Number(number) + 1, snapshot: false, reset: null };
    const reset = { incarnation: hub.incarnation, error_code: problem.code, message: problem.message };
    return { from: null, snapshot: materialized, reset: JSON.stringify(reset) };
  }
  if (typeof request.from !== 'number') {
    return { from: null, snapshot: request.sendSnapshot, reset: null };
  }
  const problem = refusal(session, hub, materialized, request.incarnation, request.from);
  if (problem !== null) throw problem;
  return { from: request.from, snapshot: false, reset: null };
}

function refusal(
  session: EgressSession,
  hub: EgressHub,
  materialized: boolean,
  incarnation: string | null,
  from: number,
): HttpProblem | null {
  const isOther = incarnation !== null && incarnation !== hub.incarnation;
  const { oldest, latest } = hub.window;
  if (!isOther && from >= oldest && from <= latest + 1) return null;
  const link = (snapshot: boolean): string => `${session.path}?${linkQuery(session.request, snapshot)}`;
  const where = `it continues from ${oldest} to ${latest + 1}`;
  const message = isOther
    ? `the stream is another one than ${incarnation}: the pipeline was restarted, or nobody listened for long`
    : `the stream does not have message ${from}: ${where}`;
  return new HttpProblem({
    status: 409,
    code: isOther ? 'EgressIncarnationChanged' : 'EgressSequenceExpired',
    message,
    details: {
      incarnation: hub.incarnation,
      oldest_sequence: oldest,
      next_sequence: latest + 1,
      snapshot: materialized ? link(true) : null,
      latest: link(false),
    },
  });
}

function linkQuery({ print, header, backpressure }: EgressRequest, snapshot: boolean): string {
  const query = new URLSearchParams({ format: print.format, from: 'latest' });
  if (snapshot) query.set('send_snapshot', 'true');
  if (!backpressure) query.set('backpressure', 'false');
  if (print.bytesMax !== null) query.set('max_chunk_bytes', String(print.bytesMax));
  if (print.delimiter !== ',') query.set('delimiter', print.delimiter);
  if (!print.weight) query.set('weight', 'false');
  if (header) query.set('header', 'true');
  return query.toString();
}

/** Rows of a snapshot that wait in memory for a listener without back-pressure; one that is larger is not for it. */
const heldRowsMax = 10_000_000;

/**
 * The contents of the relation through an output of their own, which is closed at the mark behind them. Without back-pressure
 * they are taken from the engine first, as the columns that they are, so that it goes on however slowly they are read.
 */
async function sendSnapshot(
  session: EgressSession,
  directory: HubDirectory,
  relation: Relation,
  listener: EgressListener,
): Promise<void> {
  const { print } = session.request;
  const printer = await openPrinter(print, relation);
  const output = await directory.openOutput(relation, true);
  const { receiver } = output;
  const held: DataFrame[] = [];
  try {
    if (!session.request.backpressure && !(await takeAll(receiver, session, held))) return;
    if (!session.request.backpressure) output.close();
    for (;;) {
      if (listener.isClosed) return;
      const frame = held.shift() ?? receiver.take();
      if (frame === null) {
        if (!(await frameArrives(receiver, session))) return;
        continue;
      }
      if (frame.kind === 'end') return;
      if (frame.kind === 'mark') {
        if (session.request.backpressure) receiver.confirm(frame.mark);
        listener.endContents(frame.mark);
        return;
      }
      if (frame.kind === 'barrier') continue;
      for (const body of printer.print([frame.batch])) {
        await listener.whenReady();
        if (listener.isClosed) return;
        listener.sendContents(sealBody(body, print.format, null), body.records);
      }
    }
  } finally {
    output.close();
  }
}

/** Up to the mark behind the contents, which is confirmed. False: there are too many, or nobody is there any more. */
async function takeAll(receiver: FrameReceiver, session: EgressSession, held: DataFrame[]): Promise<boolean> {
  for (let rows = 0; rows <= heldRowsMax; ) {
    const frame = receiver.take();
    if (frame === null) {
      if (!(await frameArrives(receiver, session))) return false;
      continue;
    }
    held.push(frame);
    if (frame.kind === 'end') return true;
    if (frame.kind === 'mark') {
      receiver.confirm(frame.mark);
      return true;
    }
    if (frame.kind === 'batch') rows += frame.batch.rows;
  }
  return false;
}

/** False: none will come, the listener or the deployment has gone. */
function frameArrives(receiver: FrameReceiver, session: EgressSession): Promise<boolean> {
  return new Promise((resolve) => {
    const { signal, deployment } = session;
    const settle = (arrived: boolean): void => {
      receiver.onFrame = null;
      receiver.onClose = null;
      signal.removeEventListener('abort', gone);
      deployment.ended.removeEventListener('abort', gone);
      resolve(arrived);
    };
    const gone = (): void => settle(false);
    if (signal.aborted || deployment.ended.aborted) {
      resolve(false);
      return;
    }
    receiver.onFrame = () => settle(true);
    receiver.onClose = gone;
    signal.addEventListener('abort', gone);
    deployment.ended.addEventListener('abort', gone);
  });
}

function describedRelation(
  deployment: Deployment,
  path: string,
): { readonly relation: Relation; readonly materialized: boolean } {
  const { tables, views } = deployment;
  const { name } = relationByPath([...views, ...tables], path, 'ConfigError.UnknownOutputStream');
  const view = views.find((candidate) => candidate.name === name);
  if (view !== undefined) {
    return { relation: { name, schema: view.schema, primaryKey: [] }, materialized: view.kind === 'materialized' };
  }
  const table = tables.find((candidate) => candidate.name === name);
  if (table === undefined) throw notMaterialized(name);
  const primaryKey = table.primaryKey.map((column) => table.schema.fields.findIndex((field) => field.name === column));
  return { relation: { name, schema: table.schema, primaryKey }, materialized: table.materialized };
}

/** The names of the columns as a line of csv inside a JSON string. */
function headerOf(relation: Relation, { print }: EgressRequest): string {
  const names = [...relation.schema.fields.map((field) => field.name), ...(print.weight ? ['weight'] : [])];
  const line = names.map((name) => (/["\r\n]/.test(name) || name.includes(print.delimiter) ? quoted(name) : name));
  return JSON.stringify(`${line.join(print.delimiter)}\n`).slice(1, -1);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function notMaterialized(name: string): HttpProblem {
  return new HttpProblem({
    status: 400,
    code: 'InvalidParam',
    message: `'${name}' is not materialized, so it has no snapshot; declare it MATERIALIZED or leave send_snapshot out`,
    details: { param: 'send_snapshot' },
  });
}
