// The printer that `sdk.record.format` and `sdk.record.format.options` ask for.
import type { Clock } from '../../runtime/clock.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { ConfigInvalidValue, ConfigUnknownKey } from '../sdk/configuration-errors.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { DebeziumPrinter } from './debezium-printer.ts';
import { OpencdcPrinter } from './opencdc-printer.ts';
import type { RecordPrinter } from './record-format.ts';
import { TemplatePrinter } from './template-printer.ts';

const debeziumOptions = ['debezium.schema.name', 'debezium.rawData.key'];

/** @throws TemplateMalformed, ConfigUnknownKey, ConfigInvalidValue */
export function makePrinter(configuration: ParameterValues, clock: Clock): RecordPrinter {
  const format = String(configuration['sdk.record.format'] ?? 'opencdc/json');
  const options = String(configuration['sdk.record.format.options'] ?? '');
  switch (format) {
    case 'template':
      if (options === '') {
        const reason = 'is empty: the format "template" needs one';
        throw new ConfigInvalidValue({ key: 'sdk.record.format.options', reason });
      }
      return new TemplatePrinter(options, clock);
    case 'debezium/json': {
      const values = readOptions(options, debeziumOptions);
      return new DebeziumPrinter(
        values.get('debezium.schema.name') ?? '',
        values.get('debezium.rawData.key') || 'opencdc.rawData',
      );
    }
    default:
      readOptions(options, []);
      return new OpencdcPrinter();
  }
}

/** `name=value,name=value` */
function readOptions(text: string, known: readonly string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const pair of text.trim() === '' ? [] : text.split(',')) {
    const [name = '', ...value] = pair.split('=');
    const key = name.trim();
    if (!known.includes(key)) {
      throw new ConfigUnknownKey({ key, owner: 'sdk.record.format.options' }, { suggestion: nearestName(key, known) });
    }
    values.set(key, value.join('='));
  }
  return values;
}
