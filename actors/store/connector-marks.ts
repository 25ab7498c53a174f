// What is remembered of the connectors of pipelines: with which configuration each was started last, how far a lifecycle event
// has come, and up to where a source has been acknowledged. And the schemas that plugins have registered.
//
//   connector PIPELINE CONNECTOR   ConnectorMark        schema SUBJECT VERSION   StoredSchema
//   position PIPELINE CONNECTOR    PositionMark
//
// A mark that owes onDeleted outlives its pipeline: it goes when the event has come or is given up.
import type { ConnectorMark, PositionMark } from '../lifecycle-journal.ts';
import type { LmdbFile } from './lmdb-file.ts';
import type { OwedMark, StoredSchema } from './messages.ts';

export function readConnectorMarks(file: LmdbFile, pipeline: string): readonly ConnectorMark[] {
  // SAFETY: `putConnectorMark` writes nothing else under this kind, here and below.
  return file.documentsUnder(['connector', pipeline]).map(({ value }) => value) as ConnectorMark[];
}

export function putConnectorMark(file: LmdbFile, pipeline: string, mark: ConnectorMark): void {
  file.putDocument(['connector', pipeline, mark.connector], mark);
}

/** With its position. */
export function removeConnectorMark(file: LmdbFile, pipeline: string, connector: string): void {
  file.removeDocument(['connector', pipeline, connector]);
  file.removeDocument(['position', pipeline, connector]);
}

/** Of all pipelines, those that are gone among them. */
export function readOwedMarks(file: LmdbFile): readonly OwedMark[] {
  return file
    .documentsUnder(['connector'])
    .map(({ key, value }) => ({ pipeline: String(key[1]), mark: value as ConnectorMark }))
    .filter(({ mark }) => mark.deleted);
}

export function readPositions(file: LmdbFile, pipeline: string): readonly PositionMark[] {
  // SAFETY: `putPositions` writes nothing else under this kind.
  return file.documentsUnder(['position', pipeline]).map(({ value }) => value) as PositionMark[];
}

export function putPositions(file: LmdbFile, pipeline: string, positions: readonly PositionMark[]): void {
  for (const mark of positions) file.putDocument(['position', pipeline, mark.connector], mark);
}

export function clearPositions(file: LmdbFile, pipeline: string): void {
  file.removeAll(['position', pipeline]);
}

/** The pipeline is deleted: what is owed stays. */
export function removeMarksOf(file: LmdbFile, pipeline: string): void {
  clearPositions(file, pipeline);
  for (const mark of readConnectorMarks(file, pipeline)) {
    if (!mark.deleted) file.removeDocument(['connector', pipeline, mark.connector]);
  }
}

export function readSchemas(file: LmdbFile): readonly StoredSchema[] {
  // SAFETY: `putSchema` writes nothing else under this kind.
  return file.documentsUnder(['schema']).map(({ value }) => value) as StoredSchema[];
}

export function putSchema(file: LmdbFile, schema: StoredSchema): void {
  file.putDocument(['schema', schema.subject, schema.version], schema);
}
