// `start_from`: where the reading of a topic begins. Pure.
//
//   earliest | latest | { offsets: [one for each partition] } | { timestamp: milliseconds since 1970 }
import type { ParameterValues } from '../sdk/parameters.ts';
import { type SettingProblem, unknownText } from '../sdk/setting-rules.ts';

/** Where to begin in a partition: its first offset, the one behind its last, or that of a time in milliseconds. */
export type OffsetWish = 'earliest' | 'latest' | { readonly timestamp: number };

/** One for all partitions, or an offset for each. */
export type ReadingStart = OffsetWish | readonly number[];

const form = 'must be earliest, latest, {"offsets": [integers]} or {"timestamp": milliseconds}';

/** Of settings that have no problem. `topics` are of configurations that had no start_from yet: auto.offset.reset was it. */
export function readingStart({ start_from: value, ...rest }: ParameterValues): ReadingStart {
  if (value === undefined && rest['topics'] !== undefined) return offsetReset(rest) ?? 'latest';
  if (value === 'earliest') return 'earliest';
  if (!isObject(value)) return 'latest';
  // SAFETY: startProblem has looked at it.
  return 'timestamp' in value ? { timestamp: Number(value['timestamp']) } : (value['offsets'] as readonly number[]);
}

const resets: Readonly<Record<string, OffsetWish | null>> = {
  earliest: 'earliest',
  smallest: 'earliest',
  beginning: 'earliest',
  latest: 'latest',
  largest: 'latest',
  end: 'latest',
  error: null,
};

/** `auto.offset.reset`; null: where there is nothing any more is an error. */
export function offsetReset({ 'auto.offset.reset': value }: ParameterValues): OffsetWish | null {
  return typeof value === 'string' ? (resets[value] ?? null) : null;
}

export function resetProblem({ 'auto.offset.reset': value }: ParameterValues): SettingProblem | null {
  if (value === undefined || value === '' || (typeof value === 'string' && value.includes('${'))) return null;
  const known = Object.keys(resets);
  if (typeof value === 'string' && known.includes(value)) return null;
  return unknownText('auto.offset.reset', value, known, `must be one of ${known.join(', ')}`);
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
