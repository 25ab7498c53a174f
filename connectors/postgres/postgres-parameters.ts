// Parameters that all connectors to PostgreSQL have in common: where the server is, who asks, and how TLS is checked.
// Names are those of Feldera's connectors.
import type { Parameter } from '../sdk/parameters.ts';

const pem = (name: string, what: string, secret = false): Parameter => ({
  name,
  type: { kind: 'string' },
  required: false,
  ...(secret ? { secret } : {}),
  description: what,
});

export const postgresParameters: readonly Parameter[] = [
  {
    name: 'uri',
    type: { kind: 'string' },
    required: true,
    secret: true,
    environment: 'MILLRACE_POSTGRES_URI',
    description: 'postgres://user:password@host:port/database; `?sslmode=require` and the like are understood.',
  },
  pem('ssl_ca_pem', 'Certificates of authorities that sign the server, in PEM.'),
  pem('ssl_ca_location', 'File with them.'),
  pem('ssl_client_pem', 'Certificate of the client, in PEM.'),
  pem('ssl_client_location', 'File with it.'),
  pem('ssl_client_key', 'Private key of the client, in PEM.', true),
  pem('ssl_client_key_location', 'File with it.'),
  {
    name: 'verify_hostname',
    type: { kind: 'boolean' },
    required: false,
    default: true,
    description: 'The certificate of the server must be for its host name.',
  },
  {
    name: 'max_retries',
    type: { kind: 'integer', min: 0, max: 1000 },
    required: false,
    default: 5,
    description: 'Attempts to connect after a failure that may pass, with growing pauses.',
  },
];
