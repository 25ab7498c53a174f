// What configurations may say of url_input. Its code is loaded when it is used.
import type { SourceDeclaration } from '../sdk/load-on-use.ts';
import { tlsParameters } from '../sdk/tls-settings.ts';

export const retriesDefault = 5;

export const urlInputDeclaration: SourceDeclaration = {
  kind: 'source',
  name: 'url_input',
  summary: 'Reads an HTTP or HTTPS resource, resuming after interruptions.',
  description:
    'What has been read is not asked for twice where the server knows ranges. Broken connections, time-outs, 408, 425, 429 and 5xx are tried again with growing pauses; redirects are followed, without the headers and the certificate of the client when they lead to another origin. A resource that has changed since it was begun is an error.',
  format: 'required',
  parameters: [
    { name: 'path', type: { kind: 'string' }, required: true, description: 'http:// or https:// address.' },
    {
      name: 'headers',
      type: { kind: 'map', value: { kind: 'string' } },
      required: false,
      default: {},
      secret: true,
      description: 'Headers of every request, such as Authorization. Not sent to another origin after a redirect.',
    },
    ...tlsParameters(),
    {
      name: 'max_retries',
      type: { kind: 'integer', min: 0, max: 1000 },
      required: false,
      default: retriesDefault,
      description: 'Attempts after a failure without any progress, with growing pauses.',
    },
    {
      name: 'pause_timeout',
      type: { kind: 'integer', min: 0 },
      required: false,
      default: 60,
      description: 'Accepted. A connection that is lost during a pause is opened again where it broke off.',
    },
  ],
};
