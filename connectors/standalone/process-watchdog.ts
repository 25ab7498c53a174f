// Ends a plugin when the host has died, however it died: a shell that reads a pipe which only the host holds. When the pipe closes,
// it kills the process group whose number it was given last, and removes the plugin's temporary folder.
// The shell is started before the plugin, so that there is nothing to start between the plugin's start and its protection.
import { type ChildProcess, spawn } from 'node:child_process';

const script = `pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then kill -s KILL -- "-$pid"; fi
rm -rf -- "$0"`;

export class ProcessWatchdog {
  readonly #shell: ChildProcess;

  /** `folder` is removed at the end. */
  constructor(folder: string) {
    // A group of its own: what is sent to the host's group (Ctrl-C) must not end it.
    this.#shell = spawn('/bin/sh', ['-c', script, folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
      env: {},
    });
    // Without a shell plugins run unprotected: there is nothing better to do about it.
    this.#shell.on('error', () => {});
    this.#shell.stdin?.on('error', () => {});
    this.#shell.unref();
  }

  /** The process group that is killed with the host. */
  guard(group: number): void {
    this.#shell.stdin?.write(`${group}\n`);
  }

  /** The process has ended: its number may be given to another one. */
  release(): void {
    this.#shell.stdin?.end('\n');
  }
}
