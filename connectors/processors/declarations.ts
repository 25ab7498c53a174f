// What configurations may say of the processors. The code of each is loaded when it is used.
import type { ProcessorDeclaration } from '../sdk/load-on-use.ts';
import type { Parameter } from '../sdk/parameters.ts';

/** Copies of one record. */
export const copiesMax: number = 100_000;
/** Of a script, for one record. */
export const timeLimitMs: number = 5_000;

export const avroDecodeDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'avro.decode',
  summary: 'Turns Avro data in a field into structured data.',
  parameters: [fieldParameter('The field with the data.', '.Payload.After')],
};

export const avroEncodeDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'avro.encode',
  summary: 'Turns structured data in a field into Avro data.',
  parameters: [
    fieldParameter('The field with structured data or JSON.', '.Payload.After'),
    {
      name: 'schema.strategy',
      type: { kind: 'enum', values: ['preRegistered', 'autoRegister'] },
      required: true,
      description:
        'preRegistered: a schema that the registry has. autoRegister: one is made from the data of each record.',
    },
    {
      name: 'schema.preRegistered.subject',
      type: { kind: 'string' },
      required: false,
      description: 'Subject of the schema, for preRegistered.',
    },
    {
      name: 'schema.preRegistered.version',
      type: { kind: 'integer', min: 1 },
      required: false,
      description: 'Version of the schema, for preRegistered.',
    },
    {
      name: 'schema.autoRegister.subject',
      type: { kind: 'string' },
      required: false,
      description: 'Subject under which schemas are made, for autoRegister.',
    },
  ],
};

export const base64DecodeDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'base64.decode',
  summary: 'Decodes a field from base64.',
  parameters: [fieldParameter('Any field but .Position. Below structured data what is no UTF-8 becomes bytes.')],
};

export const base64EncodeDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'base64.encode',
  summary: 'Encodes a field as base64.',
  parameters: [fieldParameter('Any field but .Position.')],
};

export const cloneDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'clone',
  summary: 'Makes copies of every record; each has its number in the metadata.',
  parameters: [
    {
      name: 'count',
      type: { kind: 'integer', min: 1, max: copiesMax },
      required: true,
      description:
        'Copies beside the record itself. The entry clone.index of the metadata is 0 for the record, then 1, 2 …',
    },
  ],
};

export const splitDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'split',
  summary: 'Makes a record of every element of a list.',
  parameters: [
    fieldParameter('The field below .Key or .Payload that holds the list; each record has one element in its place.'),
  ],
};

export const errorDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'error',
  summary: 'Refuses every record that reaches it: give it a condition.',
  parameters: [
    {
      name: 'message',
      type: { kind: 'string' },
      required: false,
      default: 'error processor triggered',
      description: 'The text of the error, which may be a template such as no user {{ .Key.id }}.',
    },
  ],
};

export const fieldConvertDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'field.convert',
  summary: 'Converts a field to another type.',
  parameters: [
    fieldParameter('A field of structured data below .Key or .Payload.'),
    {
      name: 'type',
      type: { kind: 'enum', values: ['string', 'int', 'float', 'bool', 'time'] },
      required: true,
      description:
        'What the field becomes. A bool is 1 or 0 as a number; a time is text in RFC 3339 or nanoseconds since 1970, and becomes text in RFC 3339.',
    },
  ],
};

export const fieldExcludeDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'field.exclude',
  summary: 'Removes fields.',
  parameters: [
    {
      name: 'fields',
      type: { kind: 'list', item: { kind: 'string' } },
      required: true,
      description: 'References to the fields, separated by commas. Not .Position and .Operation.',
    },
  ],
};

export const fieldRenameDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'field.rename',
  summary: 'Gives fields other names.',
  parameters: [
    {
      name: 'mapping',
      type: { kind: 'list', item: { kind: 'string' } },
      required: true,
      description: 'Pairs of a reference and a name, such as .Metadata.key:id,.Payload.After.foo:bar.',
    },
  ],
};

export const fieldSetDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'field.set',
  summary: 'Sets a field to a text, which may be a Go template over the record.',
  parameters: [
    fieldParameter('Any field but .Position. Maps on the way to it are made.'),
    {
      name: 'value',
      type: { kind: 'string' },
      required: true,
      description: 'The text, or a template such as {{ .Payload.After.name | upper }}.',
    },
  ],
};

export const filterDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'filter',
  summary: 'Drops every record that reaches it: give it a condition.',
  parameters: [],
};

export const customJavascriptDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'custom.javascript',
  summary: 'Runs a function of your own over every record.',
  description: `The script declares function process(rec). It may take ${timeLimitMs / 1000} seconds for a record.`,
  parameters: [
    {
      name: 'script',
      type: { kind: 'string' },
      required: false,
      description: 'The script itself.',
    },
    {
      name: 'script.path',
      type: { kind: 'string' },
      required: false,
      description: 'A file with the script. A relative path starts at the folder of the pipeline file.',
    },
  ],
};

export const jsonDecodeDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'json.decode',
  summary: 'Turns JSON text in a field into structured data.',
  parameters: [fieldParameter('The field: .Key, .Payload.Before, .Payload.After or one below.')],
};

export const jsonEncodeDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'json.encode',
  summary: 'Turns a field into JSON text.',
  parameters: [fieldParameter('The field: .Key, .Payload.Before, .Payload.After or one below.')],
};

export const unwrapDebeziumDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'unwrap.debezium',
  summary: 'Replaces a record by the Debezium event in one of its fields.',
  parameters: [fieldParameter('The field with the event.', '.Payload.After')],
};

export const unwrapKafkaConnectDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'unwrap.kafkaconnect',
  summary: 'Replaces the payload of a record by that of the Kafka Connect record in one of its fields.',
  parameters: [fieldParameter('The field with the record.', '.Payload.After')],
};

export const unwrapOpencdcDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'unwrap.opencdc',
  summary: 'Replaces a record by the OpenCDC record in one of its fields.',
  parameters: [fieldParameter('The field with the record.', '.Payload.After')],
};

export const webhookHttpDeclaration: ProcessorDeclaration = {
  kind: 'processor',
  name: 'webhook.http',
  summary: 'Sends a request for every record and keeps the answer in the record.',
  parameters: [
    {
      name: 'request.url',
      type: { kind: 'string' },
      required: true,
      description: 'The address, which may be a template.',
    },
    {
      name: 'request.method',
      type: { kind: 'string' },
      required: false,
      default: 'GET',
      description: 'Method of the request.',
    },
    {
      name: 'request.body',
      type: { kind: 'string' },
      required: false,
      default: '',
      description: 'Body of the request, which may be a template; {{ toJson . }} is the whole record.',
    },
    {
      name: 'request.contentType',
      type: { kind: 'string' },
      required: false,
      description: 'The header Content-Type; headers.Content-Type is the newer spelling.',
    },
    {
      name: 'headers',
      type: { kind: 'map', value: { kind: 'string' } },
      required: false,
      default: {},
      secret: true,
      description:
        'Headers, one a name below: headers.Authorization. Content-Type is application/json unless it is given.',
    },
    {
      name: 'response.body',
      type: { kind: 'string' },
      required: false,
      default: '.Payload.After',
      description: 'The field that takes the body of the answer.',
    },
    {
      name: 'response.status',
      type: { kind: 'string' },
      required: false,
      default: '',
      description: 'The field that takes the status of the answer. Empty: none.',
    },
    {
      name: 'backoffRetry.count',
      type: { kind: 'integer', min: 0 },
      required: false,
      default: 0,
      description: 'How often a failed request is repeated.',
    },
    {
      name: 'backoffRetry.factor',
      type: { kind: 'number', min: 1 },
      required: false,
      default: 2,
      description: 'How much longer every pause is than the one before.',
    },
    {
      name: 'backoffRetry.min',
      type: { kind: 'duration' },
      required: false,
      default: '100ms',
      description: 'The first pause.',
    },
    {
      name: 'backoffRetry.max',
      type: { kind: 'duration' },
      required: false,
      default: '5s',
      description: 'The longest pause.',
    },
  ],
};

function fieldParameter(description: string, otherwise?: string): Parameter {
  const shared = { name: 'field', type: { kind: 'string' }, description } as const;
  return otherwise === undefined ? { ...shared, required: true } : { ...shared, required: false, default: otherwise };
}
