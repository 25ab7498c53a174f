// A processor between the decoding and the encoding of what carries a schema, as `sdk.schema.decode.*` and `sdk.schema.encode.*` say:
// it sees structured data, and what is behind it is data of the schema again, byte for byte where nothing was changed.
// Without a registry records go through as they are; so do those that name no schema.
import type { ParameterValues } from '../sdk/parameters.ts';
import type { ProcessedBatch, Processor } from '../sdk/processor.ts';
import { composeAnswers } from '../sdk/processor-chain.ts';
import { decodeRecordSchemas, encodeRecordSchemas, mentionsSchemas, type SchemaFields } from '../sdk/record-schemas.ts';
import type { SchemaRegistry } from '../sdk/schema-registry.ts';

export function withSchemas(
  processor: Processor,
  values: ParameterValues,
  schemas: SchemaRegistry | undefined,
): Processor {
  if (schemas === undefined) return processor;
  const decode = fieldsOf(values, 'decode');
  const encode = fieldsOf(values, 'encode');
  return {
    ...(processor.open === undefined ? {} : { open: () => processor.open?.() }),
    process: async (batch) => {
      const isDecoded = isWanted(decode) && mentionsSchemas(batch);
      const before: ProcessedBatch = isDecoded
        ? await decodeRecordSchemas(batch, schemas, decode)
        : { batch, origins: null, failed: [] };
      const processed = before.batch.rows === 0 ? null : await processor.process(before.batch);
      if (processed === null) return before;
      const answer = composeAnswers(before, processed);
      if (!isWanted(encode) || !mentionsSchemas(answer.batch)) return answer;
      return composeAnswers(answer, await encodeRecordSchemas(answer.batch, schemas, encode, decode));
    },
    ...(processor.teardown === undefined ? {} : { teardown: () => processor.teardown?.() }),
  };
}

function fieldsOf(values: ParameterValues, way: 'decode' | 'encode'): SchemaFields {
  return {
    payload: values[`sdk.schema.${way}.payload.enabled`] !== false,
    key: values[`sdk.schema.${way}.key.enabled`] !== false,
  };
}

function isWanted({ payload, key }: SchemaFields): boolean {
  return payload || key;
}
