// Parameters that all connectors to PostgreSQL have in common: where the server is, who asks, and how TLS is checked.
// Names are those of Feldera's connectors.
import type { Parameter } from '../sdk/parameters.ts';
import { tlsParameters } from '../sdk/tls-settings.ts';

export const postgresParameters: readonly Parameter[] = [
  {
    name: 'uri',
    type: { kind: 'string' },
    required: true,
    secret: true,
    environment: 'MILLRACE_POSTGRES_URI',
    description:
      'postgres://user:password@host:port/database; `sslmode`, `sslrootcert`, `sslcert` and `sslkey` mean what they do to PostgreSQL’s own programs.',
  },
  ...tlsParameters(),
  {
    name: 'ssl_certificate_chain_location',
    type: { kind: 'string' },
    required: false,
    description:
      'File with the certificate of the client and those that lead to its authority, instead of ssl_client_location.',
  },
  {
    name: 'max_retries',
    type: { kind: 'integer', min: 0, max: 1000 },
    required: false,
    default: 5,
    description: 'Attempts to connect after a failure that may pass, with growing pauses.',
  },
];
