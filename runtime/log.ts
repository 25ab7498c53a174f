// Log lines as data. A library prints nothing uninvited: entries go to whoever asked for them.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogEntry {
  /** Milliseconds since 1970-01-01 UTC. */
  readonly time: number;
  readonly level: LogLevel;
  /** Who speaks: an actor id, a part. */
  readonly source: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** A log that hands entries to `sink`. */
export function makeLog(source: string, now: () => number, sink: (entry: LogEntry) => void): Log {
  const at =
    (level: LogLevel) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
      sink({ time: now(), level, source, message, fields });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** What somebody else said, at the level that it names among its fields; otherwise it is for those who want to know everything. */
export function relate(log: Log, message: string, fields: Readonly<Record<string, unknown>>): void {
  const { level } = fields;
  log[level === 'warn' || level === 'error' || level === 'debug' ? level : 'info'](message, fields);
}
