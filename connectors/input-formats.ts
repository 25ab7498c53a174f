// The formats of inputs that ship with Millrace: the part of the registry that a thread needs which decodes, and does nothing else.
//
// A format is added by a line here and its files. What stands on much code is declared here and loaded when it is used (sdk/load-on-use.ts).
import {
  arrowInputDeclaration,
  avroInputDeclaration,
  csvInputDeclaration,
  jsonInputDeclaration,
  msgpackInputDeclaration,
  rawInputDeclaration,
} from './formats/input-declarations.ts';
import { parquetInput } from './formats/parquet-input.ts';
import { postgresRowsDeclaration } from './postgres/declarations.ts';
import { onUse, type RegisteredInputFormat } from './sdk/load-on-use.ts';

export const inputFormats: readonly RegisteredInputFormat[] = [
  onUse(jsonInputDeclaration, async () => (await import('./formats/json-decoder.ts')).jsonInput),
  onUse(csvInputDeclaration, async () => (await import('./formats/csv-decoder.ts')).csvInput),
  parquetInput,
  onUse(rawInputDeclaration, async () => (await import('./formats/raw-decoder.ts')).rawInput),
  onUse(msgpackInputDeclaration, async () => (await import('./formats/msgpack-decoder.ts')).msgpackInput),
  onUse(avroInputDeclaration, async () => (await import('./formats/avro-decoder.ts')).avroInput),
  onUse(arrowInputDeclaration, async () => (await import('./formats/arrow-decoder.ts')).arrowInput),
];

/** Of sources that bring their own: nobody else may name them. */
export const ownFormats: readonly RegisteredInputFormat[] = [
  onUse(postgresRowsDeclaration, async () => {
    const { jsonInput } = await import('./formats/json-decoder.ts');
    const { CopyTextReader } = await import('./formats/copy-text-lane.ts');
    return (await import('./postgres/rows-format.ts')).postgresRows(jsonInput, CopyTextReader.of);
  }),
];
