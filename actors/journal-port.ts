// A lifecycle journal from one thread for another: the owner of the data folder keeps it, the control thread writes into it.
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Clock } from '../runtime/clock.ts';
import { connect, expose } from '../runtime/thread/remote.ts';
import type { LifecycleJournal } from './lifecycle-journal.ts';

/** A write is an fsync. */
const callTimeoutMs = 30_000;

/** The end to be transferred to the thread that writes. The journal is served until that thread lets go of it. */
export function journalPort(journal: LifecycleJournal): MessagePort {
  const { port1, port2 } = new MessageChannel();
  expose(methodsOf(journal), port1);
  // It does not keep the process alive by itself: the pipeline that writes does.
  port1.unref();
  return port2;
}

/** The journal at the other end. */
export function openJournal(port: MessagePort, clock: Clock): LifecycleJournal {
  const { proxy } = connect<LifecycleJournal>(port, { name: 'journal', clock, deadlineMs: callTimeoutMs });
  port.unref();
  return {
    marks: () => proxy.marks(),
    putMark: (mark) => proxy.putMark(mark),
    removeMark: (connector) => proxy.removeMark(connector),
    positions: () => proxy.positions(),
    putPositions: (positions) => proxy.putPositions(positions),
  };
}

/** An object with methods of its own, whatever the journal is. */
function methodsOf(journal: LifecycleJournal): LifecycleJournal {
  return {
    marks: () => journal.marks(),
    putMark: (mark) => journal.putMark(mark),
    removeMark: (connector) => journal.removeMark(connector),
    positions: () => journal.positions(),
    putPositions: (positions) => journal.putPositions(positions),
  };
}
