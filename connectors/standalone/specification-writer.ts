// A specification as the bytes of Specify's answer, for both versions of the protocol: see specification-reader.ts.
import { ByteWriter } from '../sdk/protobuf-wire.ts';
import {
  type PluginParameter,
  type PluginParameters,
  type PluginSpecification,
  parameterTypes,
  validationTypes,
} from './plugin-specification.ts';

/** Numbers of the fields of a parameter by version of the protocol. */
const fieldsOf = {
  1: { default: 1, required: 2, description: 3, type: 4, validations: 5 },
  2: { default: 1, required: 0, description: 2, type: 3, validations: 4 },
} as const;

export type ProtocolVersion = keyof typeof fieldsOf;

export function writeSpecification(specification: PluginSpecification, version: ProtocolVersion): Uint8Array {
  const body = new ByteWriter();
  const { name, summary, description, version: own, author } = specification;
  for (const [i, text] of [name, summary, description, own, author].entries()) writeText(body, i + 1, text);
  writeParameters(body, 6, specification.destinationParameters ?? {}, version);
  writeParameters(body, 7, specification.sourceParameters ?? {}, version);
  if (version === 1) return body.finish();
  const answer = new ByteWriter();
  answer.tag((1 << 3) | 2);
  answer.view(body.finish());
  return answer.finish();
}

function writeParameters(
  writer: ByteWriter,
  field: number,
  parameters: PluginParameters,
  version: ProtocolVersion,
): void {
  for (const [name, parameter] of Object.entries(parameters)) {
    writer.tag((field << 3) | 2);
    writer.nested((entry) => {
      writeText(entry, 1, name);
      entry.tag((2 << 3) | 2);
      entry.nested((inner) => writeParameter(inner, parameter, version));
    });
  }
}

function writeParameter(writer: ByteWriter, parameter: PluginParameter, version: ProtocolVersion): void {
  const fields = fieldsOf[version];
  writeText(writer, fields.default, parameter.default);
  if (fields.required > 0 && parameter.validations.some(({ type }) => type === 'required')) {
    writer.tag(fields.required << 3);
    writer.varint(1);
  }
  writeText(writer, fields.description, parameter.description);
  writer.tag(fields.type << 3);
  writer.varint(parameterTypes.indexOf(parameter.type) + 1);
  for (const { type, value } of parameter.validations) {
    writer.tag((fields.validations << 3) | 2);
    writer.nested((validation) => {
      validation.tag(1 << 3);
      validation.varint(validationTypes.indexOf(type) + 1);
      writeText(validation, 2, value);
    });
  }
}

function writeText(writer: ByteWriter, field: number, text: string): void {
  if (text === '') return;
  writer.tag((field << 3) | 2);
  writer.text(text);
}
