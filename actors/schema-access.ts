// How the actors of connectors reach the schemas of their host: where its schema service listens, and a token that it knows. The
// service belongs to whoever opened the pipeline (a server, a command); a pipeline without one has no schemas.
import type { SchemaClient } from '../connectors/standalone/schema-client.ts';
import type { Clock } from '../runtime/clock.ts';

export interface SchemaAccess {
  /** host:port */
  readonly target: string;
  readonly token: string;
}

/** Nothing is connected before the first schema is asked for. Its owner closes it. */
export async function openSchemas(access: SchemaAccess | undefined, clock: Clock): Promise<SchemaClient | null> {
  if (access === undefined) return null;
  const { SchemaClient } = await import('../connectors/standalone/schema-client.ts');
  return new SchemaClient(access.target, access.token, clock);
}
