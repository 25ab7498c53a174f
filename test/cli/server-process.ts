// `millrace serve` as a process of its own for tests: on a free port, over ./store of a folder, killed and started again at will.
import * as assert from 'uvu/assert';
import { CliProcess } from './cli-process.ts';

export interface ServerProcessOptions {
  readonly folder: string;
  /** Further arguments of `serve`. */
  readonly args?: readonly string[];
  readonly secondsMax?: number;
}

export class ServerProcess {
  readonly #process: CliProcess;
  #url = '';

  constructor({ folder, args = [], secondsMax }: ServerProcessOptions) {
    const limits = secondsMax === undefined ? {} : { secondsMax };
    this.#process = new CliProcess(['serve', '--port', '0', '--data', './store', ...args], { folder, ...limits });
  }

  /** Set once it is ready. */
  get url(): string {
    return this.#url;
  }

  async ready(): Promise<void> {
    await this.#process.until((out) => out.includes('millrace serve: http://'));
    this.#url = /http:\S+/.exec(this.#process.out)?.[0] ?? '';
  }

  /** The body of a reply with status 200; any other fails the test with its text. */
  async call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const sent =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await fetch(`${this.#url}${path}`, { method, ...sent });
    const text = await response.text();
    assert.is(response.status, 200, text);
    return JSON.parse(text);
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#process.kill(signal);
    await this.#process.exit;
  }
}
