// Carries the contents of tables from one deployment into another, as the columns that they are: what a checkpoint of one
// program holds becomes the first step of the next program.
import type { FrameReceiver, MailboxLimits } from '../../../runtime/mailbox/channel.ts';
import { openFrameReceiver, openFrameSender } from '../../../runtime/mailbox/port-channel.ts';
import { encodeToken } from '../../completion-token.ts';
import type { TableDescription } from '../embedded/control-interface.ts';
import type { LiveDeployment } from './live-deployment.ts';

const limits: MailboxLimits = { rowsMax: 100_000, bytesMax: 64 * 1024 * 1024 };

interface Ends {
  /** What of `from` holds the rows: the table, or a view of the same rows. */
  readonly source: string;
  readonly from: LiveDeployment;
  readonly to: LiveDeployment;
}

/** Resolves with a token for the rows, which are on their way to the engine of `to`. The table is the same in both. */
export async function transferTable(table: TableDescription, { source, from, to }: Ends): Promise<string> {
  const { name, schema } = table;
  const opened = await from.call('bootstrap', (control) =>
    control.openEgressPort(source, `${source}.api-bootstrap`, limits, { sendSnapshot: true, everyStep: false }),
  );
  const receiver = openFrameReceiver(opened.port, { schema, limits });
  const { endpoint, incarnation, port } = await to.call('bootstrap', (control) =>
    control.openIngressPort(name, `${name}.api-ingress-bootstrap`, limits),
  );
  const sender = openFrameSender(port, { schema, limits });
  try {
    for (let sequence = 1; ; sequence++) {
      const frame = receiver.take() ?? (await nextFrame(receiver, from.ended));
      if (frame === null) throw new Error(`the contents of table '${name}' have broken off`);
      if (frame.kind === 'mark') break;
      if (frame.kind !== 'batch') continue;
      if (!sender.hasCredit) await sender.whenReady(to.ended);
      // Rows of a table with a key replace one another: each stands once.
      const weights = table.primaryKey.length > 0 ? null : frame.batch.weights;
      sender.send({ kind: 'batch', sequence, batch: { ...frame.batch, weights } });
    }
    sender.send({ kind: 'mark', mark: 1 });
    return encodeToken({ incarnation, endpoint, mark: 1 });
  } finally {
    receiver.close();
  }
}

/** null: none will come. */
async function nextFrame(receiver: FrameReceiver, ended: AbortSignal): Promise<ReturnType<FrameReceiver['take']>> {
  await new Promise<void>((resolve) => {
    receiver.onFrame = resolve;
    receiver.onClose = resolve;
    ended.addEventListener('abort', () => resolve(), { once: true });
  });
  receiver.onFrame = null;
  return receiver.take();
}
