// What a plugin writes on stdout and stderr: lines with levels. Everything is read for as long as the process lives, or it would
// block on a full pipe; the last lines are kept for error messages, and no more than some lines a second go on to the log.
//
// Secret settings that a plugin prints are masked.
//
// Levels: JSON lines carry `@level` or `level`; other lines may begin with `[WARN]` and the like; a Go panic and everything
// behind it are errors; the rest is debug. A line longer than 64 KiB comes in parts.
import type { Clock } from '../../runtime/clock.ts';
import type { LogLevel } from '../../runtime/log.ts';
import { withoutSecrets } from '../sdk/secret-settings.ts';

export interface PluginLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const lineBytesMax = 64 << 10;
const keptLines = 20;
const keptCharacters = 500;
const linesPerSecondMax = 200;

const levels: Readonly<Record<string, LogLevel>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  fatal: 'error',
  panic: 'error',
};
const levelKeys = ['@level', 'level'];
const messageKeys = ['@message', 'message', 'msg'];
const leftOutKeys = new Set([...levelKeys, ...messageKeys, '@timestamp', 'time']);

export class PluginLog {
  readonly #clock: Clock;
  readonly #print: (line: PluginLine) => void;
  readonly #secrets: readonly string[];
  readonly #last: string[] = [];
  readonly #halves = new Map<string, string>();
  #isPanicking = false;
  #second = 0;
  #linesInSecond = 0;

  constructor(clock: Clock, print: (line: PluginLine) => void, secrets: readonly string[] = []) {
    this.#clock = clock;
    this.#print = print;
    this.#secrets = secrets;
  }

  /** The last lines of stderr, oldest first. */
  get lastLines(): readonly string[] {
    const half = this.#halves.get('stderr') ?? '';
    return half === '' ? [...this.#last] : [...this.#last, shortened(withoutSecrets(half, this.#secrets))];
  }

  /** `channel` is a pipe with its own line in the making. */
  write(channel: 'stderr' | 'stdout', chunk: Uint8Array): void {
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('utf8');
    const lines = ((this.#halves.get(channel) ?? '') + text).split('\n');
    const rest = lines.pop() ?? '';
    const isTooLong = rest.length > lineBytesMax;
    this.#halves.set(channel, isTooLong ? '' : rest);
    if (isTooLong) lines.push(rest);
    for (const line of lines)
      if (line.trim() !== '') this.#line(channel, withoutSecrets(line.trimEnd(), this.#secrets));
  }

  #line(channel: 'stderr' | 'stdout', line: string): void {
    const parsed = parsePluginLine(line);
    if (!this.#isPanicking && /^(panic|fatal error): /.test(line)) {
      this.#isPanicking = true;
      this.#last.length = 0;
    }
    // Behind a panic come the stacks of all goroutines: its first lines say what happened.
    if (channel === 'stderr' && !(this.#isPanicking && this.#last.length >= keptLines)) {
      // What a plugin says about its ordinary work is of no help in an error message.
      if (parsed.level !== 'debug' || parsed.fields === noFields) this.#last.push(shortened(shownLine(parsed, line)));
      if (this.#last.length > keptLines) this.#last.shift();
    }
    this.#bounded(this.#isPanicking ? { ...parsed, level: 'error' } : parsed);
  }

  #bounded(line: PluginLine): void {
    const second = Math.floor(this.#clock.monotonic() / 1000);
    if (second !== this.#second) {
      const left = this.#linesInSecond - linesPerSecondMax;
      if (left > 0) this.#print({ level: 'warn', message: `${left} lines of the plugin were left out`, fields: {} });
      this.#second = second;
      this.#linesInSecond = 0;
    }
    this.#linesInSecond++;
    if (this.#linesInSecond <= linesPerSecondMax) this.#print(line);
  }
}

const noFields: Readonly<Record<string, unknown>> = {};

export function parsePluginLine(line: string): PluginLine {
  const data = line.startsWith('{') ? parsedObject(line) : null;
  if (data !== null) {
    const fields = Object.fromEntries(Object.entries(data).filter(([key]) => !leftOutKeys.has(key)));
    return { level: levels[firstText(data, levelKeys)] ?? 'debug', message: firstText(data, messageKeys), fields };
  }
  const [, word = '', rest = ''] = /^\[(TRACE|DEBUG|INFO|WARN|ERROR)\]\s*(.*)$/s.exec(line) ?? [];
  const level = levels[word.toLowerCase()];
  return level === undefined
    ? { level: 'debug', message: line, fields: noFields }
    : { level, message: rest, fields: noFields };
}

/** A structured line as a person would write it: the message and the error. */
function shownLine({ message, fields }: PluginLine, line: string): string {
  if (message === '') return line;
  const error = fields['error'];
  return typeof error === 'string' ? `${message}: ${error}` : message;
}

function firstText(data: Readonly<Record<string, unknown>>, keys: readonly string[]): string {
  for (const key of keys) {
    const value = data[key];
    if (typeof value === 'string') return value;
  }
  return '';
}

function parsedObject(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    // SAFETY: what JSON calls an object, since the line begins with a brace.
    return typeof value === 'object' ? (value as Readonly<Record<string, unknown>> | null) : null;
  } catch {
    return null;
  }
}

function shortened(line: string): string {
  return line.length > keptCharacters ? `${line.slice(0, keptCharacters)}…` : line;
}
