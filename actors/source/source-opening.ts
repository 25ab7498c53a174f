// From a connector's configuration to a source that can be opened, and to the way in which it will be read.
//
// The configuration has been validated with places by the supervisor; it is validated again here, since this is where
// its defaults are filled in. Nothing is opened yet.

import { registryOf } from '../../connectors/connector-modules.ts';
import { ConfigUnknownFormat, ConfigUnknownTransport } from '../../connectors/sdk/configuration-errors.ts';
import type { ConnectorRegistry } from '../../connectors/sdk/connector.ts';
import type { DecoderContext, MessageLookup } from '../../connectors/sdk/format.ts';
import { loaded, type SourceDeclaration } from '../../connectors/sdk/load-on-use.ts';
import { recordSchema } from '../../connectors/sdk/record-batch.ts';
import { validSettings } from '../../connectors/sdk/setting-rules.ts';
import type { MessageBorders, Source, SourceContext } from '../../connectors/sdk/source.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import type { Reading } from './intake.ts';
import type { SourceArguments } from './messages.ts';
import type { Decoded, DecodeSetup } from './piece-decoder.ts';
import { RecordCutter } from './record-cutter.ts';
import { RecordMetadata } from './record-metadata.ts';
import { RecordRows } from './record-rows.ts';
import { FormatMissing } from './source-errors.ts';

type OpeningArguments = Pick<
  SourceArguments,
  'connector' | 'relation' | 'baseFolder' | 'pipeline' | 'pipelineId' | 'defaults' | 'metadataDefaults'
>;

/** `reading` is null for records, which need no format. @throws a coded error when the configuration does not fit the registry. */
export async function openSource(
  args: OpeningArguments,
  shipped: ConnectorRegistry,
  context: Pick<SourceContext, 'signal' | 'clock' | 'reportError' | 'log' | 'schemas' | 'stalled' | 'stallMs'>,
): Promise<{
  readonly source: Source;
  readonly reading: Reading | null;
  readonly makesLines: boolean;
  readonly convert: ((batch: ChangeBatch) => Decoded) | null;
  readonly repeats: boolean;
}> {
  const { connector, relation, baseFolder } = args;
  const { transport } = connector;
  const connectors = await registryOf(transport, shipped);
  const definition = connectors.sources.find((candidate) => candidate.name === transport.name);
  if (definition === undefined) {
    const known = connectors.sources.map((candidate) => candidate.name);
    const suggestion = nearestName(transport.name, known);
    throw new ConfigUnknownTransport({ name: transport.name, direction: 'input', known }, { suggestion });
  }
  const configuration = validSettings(definition, transport.config, `${connector.endpoint}: ${definition.name}`);
  const reading = isRecords(relation) ? null : await readingOf(args, connectors, definition, context);
  const { create } = await loaded(definition);
  const { pipeline, pipelineId } = args;
  const owner = {
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(pipelineId === undefined ? {} : { pipelineId }),
  };
  const source = create(configuration, { ...context, ...owner, endpoint: connector.endpoint, relation, baseFolder });
  const makesLines = reading === null && definition.format === 'required';
  const made = { source, reading, makesLines, repeats: definition.repeats !== false };
  if (definition.produces !== 'records' || reading === null) return { ...made, convert: null };
  const rows = new RecordRows(relation, args.defaults);
  return { ...made, convert: (batch) => rows.convert(batch) };
}

/** Whether a connector is one of a pipeline without SQL. */
export function isRecords(relation: Relation): boolean {
  return relation.schema.fingerprint === recordSchema.fingerprint;
}

async function readingOf(
  args: OpeningArguments,
  connectors: ConnectorRegistry,
  definition: SourceDeclaration,
  outside: Pick<SourceContext, 'signal' | 'clock' | 'reportError'>,
): Promise<Reading> {
  const { connector, relation, defaults } = args;
  const named = connector.format ?? definition.impliedFormat ?? null;
  if (named === null && definition.format === 'none') return { kind: 'batches' };
  if (named === null) throw new FormatMissing({ transport: connector.transport.name });
  const { name, config } = named;
  const own = connector.format === null ? (connectors.ownFormats ?? []) : [];
  const found = [...connectors.inputFormats, ...own].find((candidate) => candidate.name === name);
  if (found === undefined) {
    const known = connectors.inputFormats.map((candidate) => candidate.name);
    throw new ConfigUnknownFormat({ name, direction: 'input', known }, { suggestion: nearestName(name, known) });
  }
  const format = await loaded(found);
  const configuration = validSettings(format, config, `${connector.endpoint}: ${name}`);
  const { strict } = connector;
  const parts: DecodeSetup = { format: name, configuration, relation, defaults, strict };
  const setup = JSON.stringify(parts);
  const { metadataDefaults = [] } = args;
  const reads = metadataDefaults.length > 0;
  if (format.kind === 'stream') {
    const { signal, clock, reportError } = outside;
    const transport = connector.transport.config;
    const lookup = format.lookup?.(configuration, { relation, signal, clock, reportError, transport });
    const knowing = lookup === undefined ? {} : { setupFor: setupWith(lookup, parts) };
    const metadata = reads ? { metadata: new RecordMetadata(metadataDefaults, parts, lookup ?? null) } : {};
    const setupOf = (foundOut: string): string => JSON.stringify({ ...parts, found: JSON.parse(foundOut) });
    const cutter = new RecordCutter(format.splitter(configuration));
    return { kind: 'stream', cutter, setup, setupOf, ...knowing, ...metadata };
  }
  const context: DecoderContext = { relation, defaults, strict };
  const plan: Extract<Reading, { kind: 'blocks' }>['plan'] = (input) =>
    format.plan(input, configuration, context, outside.signal);
  const metadata = reads ? { metadata: new RecordMetadata(metadataDefaults, parts, null) } : {};
  return { kind: 'blocks', plan, setup, ...metadata };
}

/** The setup with what the lookup has found: another text only when it has found something new. */
function setupWith(
  lookup: MessageLookup,
  parts: DecodeSetup,
): (bytes: Uint8Array, messages: MessageBorders) => Promise<string> {
  let known: unknown;
  let setup = JSON.stringify(parts);
  return async (bytes, messages) => {
    const found = await lookup.find(bytes, messages);
    if (found !== known) {
      known = found;
      setup = JSON.stringify({ ...parts, found });
    }
    return setup;
  };
}
