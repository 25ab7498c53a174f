// A process that writes one checkpoint after the other until it is killed, and prints the number of each that is durable.
// With `lock` it only holds the folder.
import { openStore } from '../../../actors/store/open-store.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { quietLog, trialImage } from './trial-folder.ts';

const [folder = '', mode = ''] = process.argv.slice(2);
const store = await openStore(folder, { clock: systemClock, log: quietLog });
if (mode === 'lock') {
  process.stdout.write('locked\n');
  setInterval(() => {}, 1000);
} else {
  for (let last = (await store.checkpoints('p'))[0]?.number ?? 0; ; ) {
    await store.appendIngress('p', {
      endpoint: 'e',
      table: 't',
      kind: 'raw',
      format: null,
      chunks: [new Uint8Array([(last + 1) & 255]).buffer],
    });
    const info = await store.writeCheckpoint('p', trialImage(last + 1, [1, 1_000_000, 4_000_000]), last + 1);
    last = info.number;
    process.stdout.write(`${last}\n`);
  }
}
