// `start_from`: where the reading of a topic begins. Pure.
//
//   earliest | latest | { offsets: [one for each partition] } | { timestamp: milliseconds since 1970 }
import { type SettingProblem, unknownText } from '../sdk/setting-rules.ts';

/** Where to begin in a partition: its first offset, the one behind its last, or that of a time in milliseconds. */
export type OffsetWish = 'earliest' | 'latest' | { readonly timestamp: number };

/** One for all partitions, or an offset for each. */
export type ReadingStart = OffsetWish | readonly number[];

const form = 'must be earliest, latest, {"offsets": [integers]} or {"timestamp": milliseconds}';

/** Of a value that has no problem. */
export function readingStart(value: unknown): ReadingStart {
  if (value === 'earliest') return 'earliest';
  if (!isObject(value)) return 'latest';
  // SAFETY: startProblem has looked at it.
  return 'timestamp' in value ? { timestamp: Number(value['timestamp']) } : (value['offsets'] as readonly number[]);
}

export function isOffsetList(start: ReadingStart): start is readonly number[] {
  return Array.isArray(start);
}

export function startProblem(value: unknown): SettingProblem | null {
  const key = 'start_from';
  if (value === undefined || value === 'latest' || value === 'earliest') return null;
  if (!isObject(value)) return unknownText(key, value, ['earliest', 'latest'], form);
  const names = Object.keys(value);
  const [name = ''] = names;
  if (names.length > 1) return { key, reason: `${form}, not both` };
  if (name !== 'offsets' && name !== 'timestamp') return unknownText(key, name, ['offsets', 'timestamp'], form);
  const given = value[name];
  if (name === 'timestamp') return isWhole(given) ? null : { key, reason: 'has a timestamp that is no integer from 0' };
  if (!Array.isArray(given)) return { key, reason: 'has offsets that are no list' };
  const wrong = given.findIndex((offset) => !isWhole(offset));
  return wrong < 0 ? null : { key, reason: `has an offset that is no integer from 0: offsets[${wrong}]` };
}

function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
