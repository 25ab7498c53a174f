// What a relay itself can say is wrong.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

export const RefusedTooOften: CodedErrorClass<{
  readonly node: string;
  readonly size: number;
  readonly threshold: number;
}> = defineError(
  'dead_letters.threshold_exceeded',
  { help: 'The cause says why the record was refused. Mend it, or raise the threshold of the dead-letter queue.' },
  (f) => `'${f.node}' has refused a record: more than ${f.threshold} of the latest ${f.size} are refused now`,
);

export const DeadLetterRefused: CodedErrorClass<{ readonly connector: string }> = defineError(
  'dead_letters.refused',
  { help: 'The destination of the dead-letter queue must take every record. The cause is what it says.' },
  (f) => `the dead-letter queue '${f.connector}' has refused a record`,
);

export const RelayUnsupported: CodedErrorClass<{ readonly call: string }> = defineError(
  'pipeline.without_sql',
  { help: 'The pipeline passes records on and has no tables, views or state. Use a pipeline with a program for that.' },
  (f) => `${f.call}: the pipeline has no SQL program`,
);

export const RelayEndpointUnknown: CodedErrorClass<{ readonly endpoint: string }> = defineError(
  'relay.unknown_endpoint',
  { help: 'This is a defect in Millrace: what the supervisor names is attached.' },
  (f) => `nothing is attached as '${f.endpoint}'`,
);
