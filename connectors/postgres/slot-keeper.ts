// The slot and the publication of one follower of changes over the connector's life: made with it, found again when it is opened, left when
// it turns to another table, dropped when it is deleted. What they are called is slot-names.ts, what is asked of the server replication-slot.ts.
import type { Client } from 'pg';
import type { SourceContext } from '../sdk/source.ts';
import type { PostgresSettings } from './postgres-connection.ts';
import { serverOf } from './postgres-connection.ts';
import { PostgresSession } from './postgres-session.ts';
import { dropPublication, dropSlot, ensureSlot, type SlotNames, type SlotSettings } from './replication-slot.ts';
import { namesInUse, type WantedNames, wantedNames } from './slot-names.ts';

type Settings = PostgresSettings & SlotSettings;

export class SlotKeeper {
  readonly #settings: Settings;
  readonly #context: SourceContext;
  readonly #wanted: WantedNames;
  /** Known for sure when the server has been asked. */
  #names: SlotNames;

  constructor(settings: Settings, context: SourceContext) {
    this.#settings = settings;
    this.#context = context;
    this.#wanted = wantedNames(settings, context);
    this.#names = this.#wanted;
  }

  get names(): SlotNames {
    return this.#names;
  }

  /** `resumesAt`: where in the log a run goes on; null: it begins. */
  async find(client: Client, resumesAt: bigint | null): Promise<void> {
    this.#names = await namesInUse(client, this.#wanted, resumesAt);
  }

  /** Makes what is missing. */
  async ensure(client: Client): Promise<void> {
    await ensureSlot(client, this.#names, this.#settings, serverOf(this.#settings.uri));
  }

  async drop(client: Client): Promise<void> {
    await this.find(client, null);
    await dropPublication(client, this.#names);
    await dropSlot(client, this.#names);
  }

  /** What the connector had with other settings, where that is another slot: nobody reads it any more. */
  async leave(before: Settings): Promise<void> {
    const former = wantedNames(before, this.#context);
    if (former.slot === this.#wanted.slot) return;
    const place = { server: serverOf(before.uri), slot: former.slot };
    await new PostgresSession(before, this.#context, () => place).withClient(async (client) => {
      const names = await namesInUse(client, former, null);
      // A publication that both have stays.
      if (names.publication !== this.#wanted.publication) await dropPublication(client, names);
      await dropSlot(client, names);
    });
  }
}
