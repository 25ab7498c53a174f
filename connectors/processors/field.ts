// field.convert, field.exclude, field.rename and field.set.

import { ConfigInvalidValue } from '../sdk/configuration-errors.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import type { ProcessorDefinition } from '../sdk/processor.ts';
import type { StructuredValue } from '../sdk/record.ts';
import { format, formatFloat } from '../templates/go-print.ts';
import { GoTemplate } from '../templates/go-template.ts';
import { formatTime, parseTime, rfc3339Nano } from '../templates/go-time.ts';
import { GoTime } from '../templates/go-values.ts';
import {
  fieldConvertDeclaration,
  fieldExcludeDeclaration,
  fieldRenameDeclaration,
  fieldSetDeclaration,
} from './declarations.ts';
import {
  deleteField,
  FieldReferenceInvalid,
  FieldUnusable,
  getField,
  holderOf,
  parseFieldReference,
  putValue,
  setField,
} from './field-reference.ts';
import { dataReference } from './json.ts';
import { perDraft, rawText } from './per-draft.ts';

export const fieldConvert: ProcessorDefinition = {
  ...fieldConvertDeclaration,
  create: (configuration) => {
    const field = dataReference(String(configuration['field']));
    const type = String(configuration['type']);
    return perDraft((draft) => {
      const value = getField(draft, field);
      if (value === undefined || value === null)
        throw new FieldUnusable({ reference: field.text, reason: 'is missing' });
      const converted = convert(textOf(value, type), type);
      if (converted === null) throw new FieldUnusable({ reference: field.text, reason: `holds no ${type}` });
      setField(draft, field, converted);
    });
  },
};

function textOf(value: StructuredValue, type: string): string {
  if (typeof value === 'boolean' && (type === 'int' || type === 'float')) return value ? '1' : '0';
  if (typeof value === 'number') return formatFloat(value, 'f', null);
  return rawText(value) ?? format(value);
}

function convert(text: string, type: string): StructuredValue {
  switch (type) {
    case 'string':
      return text;
    case 'int': {
      if (!/^[+-]?\d+$/.test(text)) return null;
      const value = BigInt(text);
      return BigInt.asIntN(64, value) === value ? value : null;
    }
    case 'float':
      return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : null;
    case 'bool':
      if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
      return /^(0|f|F|FALSE|false|False)$/.test(text) ? false : null;
    default: {
      const time = /^[+-]?\d+$/.test(text) ? new GoTime(BigInt(text)) : parseTime(rfc3339Nano, text);
      return time === null ? null : formatTime(time, rfc3339Nano);
    }
  }
}

export const fieldExclude: ProcessorDefinition = {
  ...fieldExcludeDeclaration,
  create: (configuration) => {
    const fields = textsOf(configuration, 'fields').map(parseFieldReference);
    const fixed = fields.find(({ path }) => path[0] === 'Position' || path[0] === 'Operation');
    if (fixed !== undefined) throw new FieldReferenceInvalid({ reference: fixed.text, reason: 'cannot be removed' });
    return perDraft((draft) => {
      for (const field of fields) deleteField(draft, field);
    });
  },
};

export const fieldRename: ProcessorDefinition = {
  ...fieldRenameDeclaration,
  create: (configuration) => {
    const pairs = textsOf(configuration, 'mapping').map((pair) => {
      const [from = '', to = '', ...more] = pair.split(':').map((part) => part.trim());
      if (to === '' || more.length > 0) {
        throw new ConfigInvalidValue({ key: 'mapping', reason: `has "${pair}", which is not reference:name` });
      }
      const field = parseFieldReference(from);
      const top = field.path[0] === 'Payload' ? 2 : 1;
      if (field.path.length <= top) throw new FieldReferenceInvalid({ reference: from, reason: 'cannot be renamed' });
      return { field, to };
    });
    return perDraft((draft) => {
      for (const { field, to } of pairs) {
        const from = field.path.at(-1) ?? '';
        // As in Conduit, a field that is not there becomes an empty one of the new name.
        if (getField(draft, field) === undefined) setField(draft, field, field.path[0] === 'Metadata' ? '' : null);
        const holder = holderOf(draft, field);
        if (holder === null) continue;
        const value = holder[from] ?? null;
        if (Object.hasOwn(holder, to)) {
          throw new FieldUnusable({ reference: field.text, reason: `cannot be renamed: there is a "${to}" already` });
        }
        putValue(holder, to, value);
        delete holder[from];
      }
    });
  },
};

export const fieldSet: ProcessorDefinition = {
  ...fieldSetDeclaration,
  create: (configuration, context) => {
    const field = parseFieldReference(String(configuration['field']));
    if (field.path[0] === 'Position') {
      throw new FieldReferenceInvalid({ reference: field.text, reason: 'cannot be changed' });
    }
    const template = new GoTemplate(String(configuration['value']), context.clock);
    return perDraft((draft) => {
      const bytes = template.recordBytes(draft);
      const isData = field.path.length === (field.path[0] === 'Key' ? 1 : 2) && field.path[0] !== 'Metadata';
      setField(draft, field, isData ? new Uint8Array(bytes) : Buffer.from(bytes).toString());
    });
  },
};

function textsOf(configuration: ParameterValues, key: string): string[] {
  const value = configuration[key];
  return Array.isArray(value) ? value.map(String) : [];
}
