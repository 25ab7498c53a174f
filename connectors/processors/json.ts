// json.decode and json.encode: a field between JSON text and values. Integers beyond 2^53 stay exact.

import { parseJson, printJson } from '../sdk/exact-json.ts';
import type { ProcessorDefinition } from '../sdk/processor.ts';
import { jsonDecodeDeclaration, jsonEncodeDeclaration } from './declarations.ts';
import {
  dataDepth,
  type FieldReference,
  FieldReferenceInvalid,
  FieldUnusable,
  getField,
  isObject,
  parseFieldReference,
  setField,
} from './field-reference.ts';
import { perDraft, rawText } from './per-draft.ts';

export const jsonDecode: ProcessorDefinition = {
  ...jsonDecodeDeclaration,
  create: (configuration) => {
    const field = dataReference(String(configuration['field']));
    return perDraft((draft) => {
      const value = getField(draft, field);
      if (value === undefined || value === null || isObject(value)) return;
      const text = rawText(value);
      if (text === null) throw new FieldUnusable({ reference: field.text, reason: 'holds no text' });
      setField(draft, field, text === '' ? null : parseJson(text));
    });
  },
};

export const jsonEncode: ProcessorDefinition = {
  ...jsonEncodeDeclaration,
  create: (configuration) => {
    const field = dataReference(String(configuration['field']));
    return perDraft((draft) => {
      const value = getField(draft, field);
      if (value !== undefined && value !== null) setField(draft, field, printJson(value));
    });
  },
};

/** @throws FieldReferenceInvalid when it is not below .Key or .Payload. */
export function dataReference(text: string): FieldReference {
  const field = parseFieldReference(text);
  if (dataDepth(field) === 0) {
    throw new FieldReferenceInvalid({
      reference: text,
      reason: 'is not .Key, .Payload.Before, .Payload.After or below',
    });
  }
  return field;
}
