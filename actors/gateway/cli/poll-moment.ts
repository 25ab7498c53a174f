// How long a command waits before it asks a server again.
import { MessageChannel } from 'node:worker_threads';
import { systemClock } from '../../../runtime/clock.ts';

const pollMilliseconds = 100;

/** The clock's timers do not keep a process alive, nor does a connection that is idle: an open port does. */
export async function moment(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', () => {});
  await new Promise<void>((resolve) => void systemClock.after(pollMilliseconds, resolve));
  port1.close();
  port2.close();
}
