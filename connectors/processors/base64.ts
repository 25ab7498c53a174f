// base64.decode and base64.encode: a field between base64 text (standard alphabet, padded) and what it stands for.

import type { ProcessorDefinition } from '../sdk/processor.ts';
import { format } from '../templates/go-print.ts';
import { base64DecodeDeclaration, base64EncodeDeclaration } from './declarations.ts';
import {
  type FieldReference,
  FieldReferenceInvalid,
  FieldUnusable,
  getField,
  parseFieldReference,
  setField,
} from './field-reference.ts';
import { perDraft, rawText } from './per-draft.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const base64Decode: ProcessorDefinition = {
  ...base64DecodeDeclaration,
  create: (configuration) => {
    const field = changeable(String(configuration['field']));
    return perDraft((draft) => {
      const value = getField(draft, field);
      if (value === undefined || value === null) return;
      const text = rawText(value)?.replaceAll(/[\r\n]/g, '');
      if (text === undefined) throw new FieldUnusable({ reference: field.text, reason: 'holds no text' });
      if (!/^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
        throw new FieldUnusable({ reference: field.text, reason: 'holds no base64' });
      }
      const bytes = new Uint8Array(Buffer.from(text, 'base64'));
      setField(draft, field, textOrBytes(bytes));
    });
  },
};

export const base64Encode: ProcessorDefinition = {
  ...base64EncodeDeclaration,
  create: (configuration) => {
    const field = changeable(String(configuration['field']));
    return perDraft((draft) => {
      const value = getField(draft, field);
      if (value === undefined || value === null) return;
      const isPlain = typeof value !== 'object';
      if (!isPlain && !(value instanceof Uint8Array)) {
        throw new FieldUnusable({ reference: field.text, reason: 'holds structured data; encode it as JSON first' });
      }
      const bytes = isPlain ? Buffer.from(format(value)) : Buffer.from(value);
      setField(draft, field, bytes.toString('base64'));
    });
  },
};

function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return strict.decode(bytes);
  } catch {
    return bytes;
  }
}

function changeable(text: string): FieldReference {
  const field = parseFieldReference(text);
  if (field.path[0] === 'Position') throw new FieldReferenceInvalid({ reference: text, reason: 'cannot be changed' });
  return field;
}
