// clone and split: processors that make several records of one. Each has the position of the record that it is made from.

import { ConfigInvalidValue } from '../sdk/configuration-errors.ts';
import { type ProcessorDefinition, perRecord } from '../sdk/processor.ts';
import { cloneDeclaration, splitDeclaration } from './declarations.ts';
import { FieldUnusable, getField, setField } from './field-reference.ts';
import { dataReference } from './json.ts';
import { draftOf } from './per-draft.ts';

export const clone: ProcessorDefinition = {
  ...cloneDeclaration,
  create: (configuration) => {
    const count = Number(configuration['count']);
    if (!Number.isSafeInteger(count)) throw new ConfigInvalidValue({ key: 'count', reason: 'is no integer' });
    return perRecord((record) =>
      Array.from({ length: count + 1 }, (_, i) => ({
        ...record,
        metadata: { ...record.metadata, 'clone.index': String(i) },
      })),
    );
  },
};

export const split: ProcessorDefinition = {
  ...splitDeclaration,
  create: (configuration) => {
    const field = dataReference(String(configuration['field']));
    return perRecord((record) => {
      const items = getField(draftOf(record), field);
      if (!Array.isArray(items)) throw new FieldUnusable({ reference: field.text, reason: 'holds no list' });
      return items.map((item, i) => {
        const draft = draftOf(structuredClone(record));
        setField(draft, field, item);
        draft.metadata['split.index'] = String(i);
        return draft;
      });
    });
  },
};
