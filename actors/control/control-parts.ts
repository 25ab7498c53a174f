// What pipelines of either kind are made from: the parts of the control thread, and what a request says of its journal and its deadlines.
import type { ConnectorRegistry } from '../../connectors/sdk/connector.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import type { OpenRequest } from '../gateway/embedded/control-interface.ts';
import { openJournal } from '../journal-port.ts';
import type { LifecycleJournal } from '../lifecycle-journal.ts';
import type { ActorHost } from '../supervisor/actor-host.ts';
import { type ConnectorDeadlines, defaultDeadlines } from '../supervisor/connector-deadlines.ts';
import { memoryJournal } from '../supervisor/memory-journal.ts';

export interface ControlParts {
  readonly host: ActorHost;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the connectors that ship with Millrace. */
  readonly registry: ConnectorRegistry;
}

export function journalOf(request: Pick<OpenRequest, 'journal'>, clock: Clock): LifecycleJournal {
  return request.journal === undefined ? memoryJournal() : openJournal(request.journal, clock);
}

export function deadlinesOf({ deadlines }: Pick<OpenRequest, 'deadlines'>): ConnectorDeadlines {
  return { ...defaultDeadlines, ...deadlines };
}
