// Which lifecycle event a connector is owed, given what is remembered of it and what it is started with. Pure.
//
//   active   the settings with which an event has succeeded last; null: it was never started
//   intent   an event that was begun, and of which nobody knows how it ended: the process died in the middle of it
//
// created: never started. updated: its settings differ from those it was told of last, which are `active` or, where that is not known,
// the intended ones: it is told once more. deleted: it was started once, with the settings it was told of last. Settings decide,
// nothing else does; what changes twice and is as it was is no change. An event that fails is owed as before. A connector that knows no
// events is asked for none until its plugin changes, and its settings are remembered all the same.
import type { LifecycleCall } from '../connector-calls.ts';
import type { ConnectorMark } from '../lifecycle-journal.ts';

export type Settings = Readonly<Record<string, unknown>>;

/** A connector as it is to be started. */
export interface StartedConnector {
  readonly connector: string;
  readonly type: ConnectorMark['type'];
  readonly plugin: string;
  readonly settings: Settings;
}

export interface LifecycleStep {
  readonly event: LifecycleCall | null;
  /** To be written before the event; null: there is none. */
  readonly before: ConnectorMark | null;
  /** To be written when it has succeeded, or at once when there is none; null: nothing changes, or the mark goes. */
  readonly after: ConnectorMark | null;
  /** To be written when it has failed, of which nothing else is known. */
  readonly failed: ConnectorMark | null;
}

/** What has to happen before the connector is opened. */
export function startStep(mark: ConnectorMark | null, wanted: StartedConnector): LifecycleStep {
  const { connector, type, plugin, settings } = wanted;
  const known: ConnectorMark = mark ?? unknownMark(wanted);
  const withoutEvents = known.withoutEvents && known.plugin === plugin;
  const after: ConnectorMark = {
    connector,
    type,
    plugin,
    active: settings,
    intent: null,
    withoutEvents,
    deleted: false,
  };
  const event = withoutEvents ? null : startEvent(known, settings);
  if (event === null) {
    return { event: null, before: null, after: mark !== null && sameMark(mark, after) ? null : after, failed: null };
  }
  const intent = { event: event.event, settings };
  // That this event fails says nothing of one before it whose end is not known.
  return {
    event,
    before: { ...known, plugin, withoutEvents, deleted: false, intent },
    after,
    failed: { ...known, plugin, withoutEvents, deleted: false, intent: known.intent },
  };
}

/** What has to happen when the connector is gone from its pipeline for good. */
export function deletionStep(mark: ConnectorMark): LifecycleStep {
  const { active } = mark;
  const deleted: ConnectorMark = { ...mark, deleted: true };
  if (active === null || mark.withoutEvents) return { event: null, before: null, after: null, failed: null };
  return {
    event: { event: 'deleted', settings: active },
    before: { ...deleted, intent: { event: 'deleted', settings: active } },
    after: null,
    failed: deleted,
  };
}

/** The mark after the connector has answered that it knows no events. */
export function withoutEvents(after: ConnectorMark): ConnectorMark {
  return { ...after, withoutEvents: true };
}

function startEvent({ active, intent }: ConnectorMark, settings: Settings): LifecycleCall | null {
  // It may have been told that it is deleted: then it is new.
  if (active === null || intent?.event === 'deleted') return { event: 'created', settings };
  if (!sameSettings(active, settings)) return { event: 'updated', before: active, after: settings };
  if (intent === null || sameSettings(intent.settings, settings)) return null;
  return { event: 'updated', before: intent.settings, after: settings };
}

function unknownMark({ connector, type, plugin }: StartedConnector): ConnectorMark {
  return { connector, type, plugin, active: null, intent: null, withoutEvents: false, deleted: false };
}

function sameMark(a: ConnectorMark, b: ConnectorMark): boolean {
  return canonical(a) === canonical(b);
}

export function sameSettings(a: Settings, b: Settings): boolean {
  return canonical(a) === canonical(b);
}

/** JSON with the keys of every object in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
