// clone and split: processors that make several records of one. Each has the position of the record that it is made from.
import { ConfigInvalidValue } from '../sdk/configuration-errors.ts';
import { type ProcessorDefinition, perRecord } from '../sdk/processor.ts';
import { FieldUnusable, getField, setField } from './field-reference.ts';
import { dataReference } from './json.ts';
import { draftOf, fieldParameter } from './per-draft.ts';

const copiesMax = 100_000;

export const clone: ProcessorDefinition = {
  kind: 'processor',
  name: 'clone',
  summary: 'Makes copies of every record; each has its number in the metadata.',
  parameters: [
    {
      name: 'count',
      type: { kind: 'integer', min: 1, max: copiesMax },
      required: true,
      description:
        'Copies beside the record itself. The entry clone.index of the metadata is 0 for the record, then 1, 2 …',
    },
  ],
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
  kind: 'processor',
  name: 'split',
  summary: 'Makes a record of every element of a list.',
  parameters: [
    fieldParameter('The field below .Key or .Payload that holds the list; each record has one element in its place.'),
  ],
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
