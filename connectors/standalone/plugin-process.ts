// One connector process: started with the environment that HashiCorp's go-plugin and Conduit give to plugins, watched until it
// has ended, and ended with its host. Nothing is known here of what is said over the connection.
//
// Handshake: the first line of stdout, `1|<protocol version>|unix or tcp|<address>|grpc|…` (go-plugin, plugin protocol 1).
// The process has a process group and a temporary folder of its own; both are gone when it has ended, also after kill -9 of the host.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { PluginNotStarted, type ProcessEvidence } from './plugin-errors.ts';
import { type PluginLine, PluginLog } from './plugin-log.ts';
import { ProcessWatchdog } from './process-watchdog.ts';

export interface PluginProcessOptions {
  /** For messages. */
  readonly plugin: string;
  readonly path: string;
  /** The variables CONDUIT_CONNECTOR_…; left out ones are not set. */
  readonly variables: Readonly<Record<string, string>>;
  /** Versions of the connector protocol that are offered. */
  readonly versions: readonly number[];
  readonly startTimeoutMs: number;
  /** Not to be seen in what it prints. */
  readonly secrets?: readonly string[];
  readonly clock: Clock;
  print(line: PluginLine): void;
}

export interface PluginAddress {
  readonly version: number;
  readonly connect: { readonly path: string } | { readonly host: string; readonly port: number };
}

const cookie = '204e8e812c3a1bb73b838928c575b42a105dd2e9aa449be481bc4590486df53f';
/** A socket's path may have 104 bytes on some systems; this leaves room for the names below the folder. */
const temporaryPathMax = 60;
/**
 * How much the heap of a plugin in Go may grow before its garbage is collected, in percent; Go's own default is 100. A plugin keeps next
 * to nothing and makes garbage with every record: it spends a quarter less on a record so. What the environment says goes first.
 */
const garbagePercent = '400';
const handshakeBytesMax = 4096;
/** How long after the death of a connection its process may take to end, too. */
const exitNoticeMs = 1_000;
/** How long after the end of a process its last lines are waited for. */
const lastLinesMs = 500;

export class PluginProcess {
  readonly #options: PluginProcessOptions;
  readonly #log: PluginLog;
  readonly #child: ChildProcess;
  readonly #watchdog: ProcessWatchdog;
  readonly #folder: string;
  readonly #ended: Promise<void>;
  #startError: Error | null = null;
  #hasEnded = false;

  constructor(options: PluginProcessOptions) {
    this.#options = options;
    this.#log = new PluginLog(options.clock, options.print, options.secrets);
    const parent = tmpdir().length <= temporaryPathMax ? tmpdir() : '/tmp';
    this.#folder = mkdtempSync(join(parent, 'mr-'));
    this.#watchdog = new ProcessWatchdog(this.#folder);
    const child = spawn(options.path, [], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: environment(options, this.#folder),
    });
    this.#child = child;
    if (child.pid !== undefined) this.#watchdog.guard(child.pid);
    this.#ended = new Promise((resolve) => {
      const end = (error: Error | null): void => {
        if (this.#hasEnded) return;
        this.#startError = error;
        this.#hasEnded = true;
        this.#watchdog.release();
        rmSync(this.#folder, { recursive: true, force: true });
        resolve();
      };
      child.on('error', (error) => {
        if (child.pid === undefined) end(error);
      });
      child.on('close', () => end(null));
      child.on('exit', () => {
        // What it has started itself goes with it; its last lines are read first.
        this.#killGroup();
        options.clock.after(lastLinesMs, () => end(null));
      });
    });
    child.stderr?.on('data', (chunk: Buffer) => this.#log.write('stderr', chunk));
  }

  /** Reads the first line. Afterwards stdout is drained into the log. @throws PluginNotStarted; the process is ended then. */
  async handshake(): Promise<PluginAddress> {
    const { clock, startTimeoutMs } = this.#options;
    const stdout = this.#child.stdout;
    const line = await new Promise<string | null>((resolve) => {
      let text = '';
      let isRead = false;
      const finish = (result: string | null): void => {
        isRead = true;
        timer.cancel();
        resolve(result);
      };
      const timer = clock.after(startTimeoutMs, () => finish(null));
      this.#ended.then(() => finish(null));
      stdout?.on('data', (chunk: Buffer) => {
        if (isRead) {
          this.#log.write('stdout', chunk);
          return;
        }
        text += chunk.toString('utf8');
        const end = text.indexOf('\n');
        if (end < 0 && text.length < handshakeBytesMax) return;
        if (end >= 0) this.#log.write('stdout', Buffer.from(text.slice(end + 1)));
        finish(end < 0 ? text : text.slice(0, end));
      });
    });
    try {
      if (line !== null) return parseHandshake(line, this.#options.versions);
    } catch (error) {
      this.kill();
      throw this.#notStarted(error instanceof Error ? error.message : String(error), error);
    }
    if (!this.#hasEnded) {
      this.kill();
      throw this.#notStarted(`it said nothing within ${startTimeoutMs / 1000} s`, undefined);
    }
    const cause = this.#startError;
    throw this.#notStarted(cause?.message ?? 'it ended before it said where it can be reached', cause ?? undefined);
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Resolves when the process is gone. Never rejects. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  get evidence(): ProcessEvidence {
    // A process that could not be started has a negative code, which is not its own.
    const hasRun = this.#child.pid !== undefined;
    return {
      exitCode: hasRun ? this.#child.exitCode : null,
      exitSignal: this.#child.signalCode,
      stderr: this.#log.lastLines,
    };
  }

  /** Lines that arrive over the connection, once the plugin has replaced its pipes. */
  say(channel: 'stderr' | 'stdout', chunk: Uint8Array): void {
    this.#log.write(channel, chunk);
  }

  /** Waits until the process has ended, `ms` at most. */
  async waitForEnd(ms: number = exitNoticeMs): Promise<boolean> {
    if (this.#hasEnded) return true;
    return await new Promise((resolve) => {
      const timer = this.#options.clock.after(ms, () => resolve(false));
      this.#ended.then(() => {
        timer.cancel();
        resolve(true);
      });
    });
  }

  /** Asks it to end. */
  terminate(): void {
    if (!this.#hasEnded) this.#child.kill('SIGTERM');
  }

  /** At once, with everything that the process has started itself. */
  kill(): void {
    if (!this.#hasEnded) this.#killGroup();
  }

  #killGroup(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Nobody of the group is left.
    }
  }

  #notStarted(detail: string, cause: unknown): Error {
    const fields = { plugin: this.#options.plugin, detail, ...this.evidence };
    return new PluginNotStarted(fields, cause === undefined ? {} : { cause });
  }
}

function environment(options: PluginProcessOptions, folder: string): Record<string, string | undefined> {
  // What configures Millrace itself is nothing to a plugin; it may be secret.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('MILLRACE_'));
  return {
    GOGC: garbagePercent,
    ...Object.fromEntries(inherited),
    TMPDIR: folder,
    ...options.variables,
    CONDUIT_PLUGIN_MAGIC_COOKIE: cookie,
    PLUGIN_MIN_PORT: '10000',
    PLUGIN_MAX_PORT: '25000',
    PLUGIN_PROTOCOL_VERSIONS: options.versions.join(','),
  };
}

/** @throws Error that says what is wrong with the line. */
export function parseHandshake(line: string, versions: readonly number[]): PluginAddress {
  const parts = line.trim().split('|');
  const [core = '', application = '', network = '', address = '', protocol = 'netrpc'] = parts;
  const said = `it said ${JSON.stringify(line.slice(0, 200))}`;
  if (parts.length < 4) throw new Error(`${said}, which is no handshake of a plugin`);
  if (core !== '1') throw new Error(`${said}: version ${core} of the plugin protocol is not known`);
  const version = Number(application);
  if (!versions.includes(version)) {
    throw new Error(
      `${said}: version ${application} of the connector protocol was not offered (${versions.join(', ')})`,
    );
  }
  if (protocol !== 'grpc') throw new Error(`${said}: it does not speak gRPC`);
  if (network === 'unix') return { version, connect: { path: address } };
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(address) ?? [];
  if (network !== 'tcp' || port === '') throw new Error(`${said}: its address cannot be read`);
  return { version, connect: { host: host.replaceAll(/[[\]]/g, '') || '127.0.0.1', port: Number(port) } };
}
