// The messages of Conduit's gRPC interface (package api.v1, with those of opencdc.v1 and config.v1 that it shows), by the numbers of
// their fields: facts of an interface that its clients have compiled in.
import { type EnumType, enumeration, list, type MessageType, map, message, one } from './proto-message.ts';

const named = message({ name: one(1), description: one(2) });

export const queue: MessageType = message({
  plugin: one(1),
  settings: map(2),
  windowSize: one(3, 'count64'),
  windowNackThreshold: one(4, 'count64'),
});

const pipelineStatus = enumeration(
  'STATUS_UNSPECIFIED',
  'STATUS_RUNNING',
  'STATUS_STOPPED',
  'STATUS_DEGRADED',
  'STATUS_RECOVERING',
);
const stoppedReason = enumeration('STOPPED_REASON_UNSPECIFIED', 'STOPPED_REASON_USER', 'STOPPED_REASON_SYSTEM');

export const pipelineConfig: MessageType = named;
export const pipeline: MessageType = message({
  id: one(1),
  state: one(
    2,
    message({
      // Conduit has no name for connectors that are being opened: there the pipeline runs by then.
      status: one(1, { kind: 'enum', numbers: { ...pipelineStatus.numbers, STATUS_STARTING: 1 } }),
      error: one(2),
      stoppedReason: one(3, stoppedReason),
    }),
  ),
  config: one(3, named),
  connectorIds: list(5),
  processorIds: list(6),
  createdAt: one(7, 'moment'),
  updatedAt: one(8, 'moment'),
});

export const connectorType: EnumType = enumeration('TYPE_UNSPECIFIED', 'TYPE_SOURCE', 'TYPE_DESTINATION');
export const connectorConfig: MessageType = message({ name: one(1), settings: map(2) });
export const connector: MessageType = message({
  id: one(1),
  destinationState: one(2, message({ positions: map(1, 'bytes') })),
  sourceState: one(3, message({ position: one(1, 'bytes') })),
  config: one(4, connectorConfig),
  type: one(5, connectorType),
  plugin: one(6),
  pipelineId: one(7),
  processorIds: list(8),
  createdAt: one(9, 'moment'),
  updatedAt: one(10, 'moment'),
});

export const processorParent: MessageType = message({
  type: one(1, enumeration('TYPE_UNSPECIFIED', 'TYPE_CONNECTOR', 'TYPE_PIPELINE')),
  id: one(2),
});
export const processorConfig: MessageType = message({ settings: map(1), workers: one(2, 'count') });
export const processor: MessageType = message({
  id: one(1),
  config: one(3, processorConfig),
  plugin: one(5),
  parent: one(6, processorParent),
  createdAt: one(7, 'moment'),
  updatedAt: one(8, 'moment'),
  condition: one(9),
});

const parameterType = enumeration(
  ...['UNSPECIFIED', 'STRING', 'INT', 'FLOAT', 'BOOL', 'FILE', 'DURATION'].map((name) => `TYPE_${name}`),
);
const validation = message({
  type: one(
    1,
    enumeration(
      ...['UNSPECIFIED', 'REQUIRED', 'GREATER_THAN', 'LESS_THAN', 'INCLUSION', 'EXCLUSION', 'REGEX'].map(
        (name) => `TYPE_${name}`,
      ),
    ),
  ),
  value: one(2),
});
const parameterRest = { type: one(3, parameterType), validations: list(4, validation) };
const parameter = message({ default: one(1), description: one(2), ...parameterRest });
/** Of the older list of plugins, which has the first two the other way round. */
const olderParameter = message({ description: one(1), default: one(2), ...parameterRest });

const aboutPlugin = { name: one(1), summary: one(2), description: one(3), version: one(4), author: one(5) };
export const connectorPlugin: MessageType = message({
  ...aboutPlugin,
  destinationParams: map(6, parameter),
  sourceParams: map(7, parameter),
});
export const olderPlugin: MessageType = message({
  ...aboutPlugin,
  destinationParams: map(6, olderParameter),
  sourceParams: map(7, olderParameter),
});
export const processorPlugin: MessageType = message({ ...aboutPlugin, parameters: map(6, parameter) });

const data = message({ rawData: one(1, 'bytes'), structuredData: one(2, 'struct') });
const operations = ['UNSPECIFIED', 'CREATE', 'UPDATE', 'DELETE', 'SNAPSHOT'].map((name) => `OPERATION_${name}`);
export const record: MessageType = message({
  position: one(1, 'bytes'),
  operation: one(2, enumeration(...operations)),
  metadata: map(3),
  key: one(4, data),
  payload: one(5, message({ before: one(1, data), after: one(2, data) })),
});

const documentProcessor = message({
  id: one(1),
  plugin: one(2),
  settings: map(3),
  workers: one(4, 'count'),
  condition: one(5),
});
export const pipelineDocument: MessageType = message({
  id: one(1),
  status: one(2),
  name: one(3),
  description: one(4),
  connectors: list(
    5,
    message({
      id: one(1),
      type: one(2),
      plugin: one(3),
      name: one(4),
      settings: map(5),
      processors: list(6, documentProcessor),
    }),
  ),
  processors: list(6, documentProcessor),
  dlq: one(7, queue),
});

export const diff: MessageType = message({
  pipelineId: one(1),
  changes: list(
    2,
    message({
      resource: one(1),
      id: one(2),
      action: one(3),
      effect: one(4),
      configPaths: list(5),
      code: one(6),
    }),
  ),
  hash: one(3),
});

export const information: MessageType = message({ version: one(1), os: one(2), arch: one(3) });

/** google.rpc.Status, whose details are google.rpc.ErrorInfo in google.protobuf.Any. */
export const errorInfo: MessageType = message({ reason: one(1), domain: one(2), metadata: map(3) });
export const status: MessageType = message({
  code: one(1, 'count'),
  message: one(2),
  details: list(3, message({ typeUrl: one(1), value: one(2, 'bytes') })),
});
