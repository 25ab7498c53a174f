// Those who want to look at the records of one connector: handed to its actor, or kept until there is one.
//
// A port that waits is handed over before the connector is opened, so that nothing is missed. One whose other end has closed
// meanwhile waits no longer. When an actor goes, its ports go: who still wants to look asks again.
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { ActorRef } from '../../runtime/actor/actor.ts';
import type { InspectionPoint, InspectMessage } from '../inspection-point.ts';

type Inspected<Message> = Pick<ActorRef<Message | InspectMessage>, 'ask'>;

interface Waiting {
  readonly point: InspectionPoint;
  readonly port: MessagePort;
  readonly onClose: () => void;
}

export class InspectionPorts {
  readonly #waiting = new Set<Waiting>();

  /** The consumer's end. `actor` is null while there is none. @throws ActorGone */
  async open<Message>(actor: Inspected<Message> | null, point: InspectionPoint): Promise<MessagePort> {
    const { port1, port2 } = new MessageChannel();
    if (actor === null) {
      const waiting: Waiting = { point, port: port2, onClose: () => this.#waiting.delete(waiting) };
      port2.once('close', waiting.onClose);
      this.#waiting.add(waiting);
    } else await actor.ask({ kind: 'inspect', point, port: port2 }, { transfer: [port2] });
    return port1;
  }

  /** @throws ActorGone */
  async handTo<Message>(actor: Inspected<Message>): Promise<void> {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { point, port, onClose } of waiting) {
      port.off('close', onClose);
      await actor.ask({ kind: 'inspect', point, port }, { transfer: [port] });
    }
  }
}
