// One who looks at the records of a connector or a processor, over whatever carries messages to it.
//
//   taps in the actors ─► port (1,000 records, then they are left out) ─► {"result": record} ─► sink
//
// Ports are opened anew for every run of the pipeline and when an actor is replaced; the session lasts until the one who looks goes,
// what is looked at is deleted, or the server ends. Nothing is taken from a port while the sink is full: the taps drop then.
import { recordSchema, recordsOf } from '../../../connectors/sdk/record-batch.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { FrameReceiver } from '../../../runtime/mailbox/channel.ts';
import { openFrameReceiver } from '../../../runtime/mailbox/port-channel.ts';
import { type InspectionPoint, inspectionLimits } from '../../inspection-point.ts';
import type { EgressSink } from '../egress/egress-sink.ts';
import type { Deployment } from '../hosting/deployment.ts';
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import type { InspectionSession } from '../hosting/inspection-sessions.ts';
import type { RelayPipeline } from '../hosting/relay-record.ts';
import { recordJson } from './record-json.ts';

export interface InspectedThing {
  readonly kind: 'connector' | 'processor in' | 'processor out';
  readonly id: string;
}

interface Place {
  readonly endpoint: string;
  readonly point: InspectionPoint;
}

/** What its end looks like to clients: the code is gRPC's "unknown". */
const closedItem = '{"error":{"code":2,"message":"inspector session closed","details":[]}}';
/** A connector that is between two actors is asked again so soon. */
const againMs = 100;

export class RecordInspection implements InspectionSession {
  readonly #pipeline: HostedPipeline;
  readonly #thing: InspectedThing;
  readonly #sink: EgressSink;
  readonly #clock: Clock;
  readonly #leave: () => void;
  readonly #receivers = new Set<FrameReceiver>();
  /** Of actors that are gone: nothing more will come. */
  readonly #closed = new WeakSet<FrameReceiver>();
  #deployment: Deployment | null = null;
  #isOver = false;

  constructor(pipeline: HostedPipeline, thing: InspectedThing, sink: EgressSink) {
    this.#pipeline = pipeline;
    this.#thing = thing;
    this.#sink = sink;
    this.#clock = pipeline.surroundings.clock;
    this.#leave = pipeline.inspections.add(this);
    sink.onReady = () => this.#pump();
    sink.onClose = () => this.#end();
    const { deployment } = pipeline;
    if (deployment !== null && !deployment.ended.aborted) void this.attach(deployment);
  }

  async attach(deployment: Deployment): Promise<void> {
    const { relay } = this.#pipeline.record;
    if (this.#isOver || this.#deployment === deployment || relay === undefined) return;
    this.#deployment = deployment;
    await Promise.all(placesOf(this.#thing, relay).map((place) => this.#open(deployment, place)));
  }

  isOf(relay: RelayPipeline): boolean {
    return placesOf(this.#thing, relay).length > 0 || relay.processors.some(({ id }) => id === this.#thing.id);
  }

  close(): void {
    if (this.#isOver) return;
    this.#end();
    this.#sink.writeText(closedItem, null);
    this.#sink.end();
  }

  async #open(deployment: Deployment, place: Place): Promise<void> {
    try {
      const { port } = await deployment.call('inspect', (control) =>
        control.openInspection(place.endpoint, place.point),
      );
      if (!this.#isWanted(deployment)) return port.close();
      const receiver = openFrameReceiver(port, { schema: recordSchema, limits: inspectionLimits });
      this.#receivers.add(receiver);
      receiver.onFrame = () => this.#pump();
      receiver.onClose = () => {
        this.#closed.add(receiver);
        this.#pump();
        if (this.#isWanted(deployment)) void this.#open(deployment, place);
      };
      this.#pump();
    } catch {
      // Its actor has just gone, or the pipeline is being stopped.
      if (!this.#isWanted(deployment) || isEnding(deployment)) return;
      this.#clock.after(againMs, () => {
        if (this.#isWanted(deployment)) void this.#open(deployment, place);
      });
    }
  }

  #isWanted(deployment: Deployment): boolean {
    return !this.#isOver && this.#deployment === deployment && !deployment.ended.aborted;
  }

  #pump(): void {
    for (const receiver of this.#receivers) {
      while (!this.#isOver && this.#sink.isReady && !receiver.isEmpty) {
        const frame = receiver.take();
        if (frame?.kind !== 'batch') continue;
        for (const record of recordsOf(frame.batch)) this.#sink.writeText(`{"result":${recordJson(record)}}`, null);
      }
      if (receiver.isEmpty && this.#closed.has(receiver)) this.#receivers.delete(receiver);
    }
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#leave();
    for (const receiver of this.#receivers) receiver.close();
    this.#receivers.clear();
  }
}

/** The taps that see it; a processor of a pipeline runs beside every source. */
function placesOf({ kind, id }: InspectedThing, relay: RelayPipeline): readonly Place[] {
  const { connectors, processors } = relay;
  if (kind === 'connector') {
    return connectors.filter((connector) => connector.id === id).map(() => ({ endpoint: id, point: { kind } }));
  }
  const isOfPipeline = processors.some((processor) => processor.id === id);
  return connectors
    .filter((connector) =>
      isOfPipeline ? connector.type === 'source' : connector.processors.some((processor) => processor.id === id),
    )
    .map((connector) => ({ endpoint: connector.id, point: { kind, processor: id } }));
}

function isEnding({ status }: Deployment): boolean {
  return status.state === 'failed' || status.state === 'stopped' || status.state === 'draining';
}
