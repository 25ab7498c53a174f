// Where a worker thread of the actor system begins: an actor loop over the program's behaviours, exposed to the system.
//
// Run by node:worker_threads, never imported. The behaviours module is imported by the URL in workerData; whether that
// succeeds is the answer to `ready`. What nobody catches on this thread ends it, after its parent has been told why.
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { errorToData } from '../errors.ts';
import { expose, transfer } from '../thread/remote.ts';
import type { ThreadDying } from '../thread/worker-thread.ts';
import type { CellReport } from './actor-cell.ts';
import { ActorLoop, importBehaviours, type ThreadHost } from './actor-loop.ts';

/** What the system passes to a thread. */
export interface ThreadData {
  readonly behaviours: string;
}

if (parentPort === null) throw new Error('worker-entry is run as a worker thread');
const port = parentPort;
// SAFETY: actor-system.ts starts this module with exactly this data.
const data = workerData as ThreadData;

process.on('uncaughtException', (error) => {
  exposed.report({ kind: 'thread dying', error: errorToData(error) } satisfies ThreadDying);
  process.exit(1);
});

const loop = importBehaviours(data.behaviours).then(
  (behaviours) => new ActorLoop(behaviours, { clock: systemClock, report }),
);
// The one who calls `ready` hears of a failure; without this it would be an uncaught one as well.
loop.catch(() => {});

const host: ThreadHost = {
  ready: async () => void (await loop),
  prepare: async (behaviour, expected) => (await loop).prepare(behaviour, expected),
  spawn: async (spec) => (await loop).spawn(spec),
  tell: async (envelope) => (await loop).tell(envelope.actor, envelope.message),
  ask: async (envelope) => {
    const answer = await (await loop).ask(envelope.actor, envelope.message);
    return transfer({ value: answer.value }, answer.transfer);
  },
  ping: async () => (await loop).ping(),
  stop: async (actor) => (await loop).stop(actor),
  detach: async (actor) => (await loop).detach(actor),
};
const exposed = expose(host, port);

function report(said: CellReport): void {
  if (said.kind !== 'log') {
    exposed.report(said);
    return;
  }
  try {
    exposed.report(said);
  } catch {
    // A log line must not kill its speaker: fields that cannot leave the thread go as text.
    const fields = Object.fromEntries(Object.entries(said.entry.fields).map(([name, value]) => [name, String(value)]));
    exposed.report({ kind: 'log', entry: { ...said.entry, fields } } satisfies CellReport);
  }
}
