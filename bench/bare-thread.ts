// The thread of a bare client: takes its work, answers when it has it, with the library where it will read, and does it when it is told to
// begin: a connection is made, every byte read or written. See bare-client.ts.
import { parentPort } from 'node:worker_threads';
import type { BareSeen, BareTask } from './bare-client.ts';
import { loadForReads, readKafka, readPostgres, readS3, readUrl } from './bare-reads.ts';
import { printKafka, printPostgres, printS3, writePostgres, writeS3 } from './bare-writes.ts';

async function run(task: BareTask): Promise<BareSeen> {
  switch (task.kind) {
    case 's3 reads':
      return await readS3(task);
    case 'url reads':
      return await readUrl(task);
    case 'postgres reads':
      return await readPostgres(task);
    case 'kafka reads':
      return await readKafka(task);
    case 's3 writes':
      return await writeS3(task.url, task.bodies);
    case 'postgres writes':
      return await writePostgres(task.uri, task.chunks);
    case 's3 prints':
      return await printS3(task);
    case 'postgres prints':
      return await printPostgres(task);
    case 'kafka prints':
      return await printKafka(task);
  }
}

const port = parentPort;
if (port === null) throw new Error('a thread of bench/bare-client.ts');
port.once('message', (task: BareTask) => {
  port.once('message', () => {
    run(task).then((seen) => port.postMessage(seen));
  });
  loadForReads(task.kind).then(() => port.postMessage(0));
});
