// A record as templates see it: the struct with the fields Position, Operation, Metadata, Key and Payload (Before, After).
import { type ConnectorRecord, type RecordData, recordOperations } from '../sdk/record.ts';
import { GoOperation, type GoValue, NamedBytes, noData, Struct, textMap } from './go-values.ts';

const operations = recordOperations.map((name, i) => new GoOperation(name, BigInt(i + 1)));

export function recordValue(record: ConnectorRecord): Struct {
  const payload = new Struct('opencdc.Change', ['Before', 'After'], (name) =>
    dataValue(name === 'Before' ? record.before : record.after),
  );
  return new Struct('opencdc.Record', ['Position', 'Operation', 'Metadata', 'Key', 'Payload'], (name) => {
    switch (name) {
      case 'Position':
        return new NamedBytes(record.position, 'opencdc.Position');
      case 'Operation':
        return operations[recordOperations.indexOf(record.operation)];
      case 'Metadata':
        return textMap(record.metadata);
      case 'Key':
        return dataValue(record.key);
      default:
        return payload;
    }
  });
}

function dataValue(data: RecordData): GoValue {
  if (data === null) return noData;
  return data instanceof Uint8Array ? new NamedBytes(data, 'opencdc.RawData') : data;
}
