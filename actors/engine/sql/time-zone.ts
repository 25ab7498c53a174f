// Time zones by name: how far their clocks are ahead of UTC at an instant, from the data of the runtime.
//
// A fixed offset (+01:00) is a zone as well. Of a local time that comes twice, or never, the offset before the change counts where it
// can. Pure but for a bounded cache of formats.
import { parseTimestampText } from '../../../runtime/batch/scalar-text.ts';
import { daysOf, splitTimestamp } from './calendar.ts';

const microsOfMinute = 60_000_000n;
// Caches are functions of their keys alone, so threads need not share them.
const formats = new Map<string, Intl.DateTimeFormat | null>();
const formatsMax = 200;

/** A local time in one zone as that in another one; null when there is no such zone. */
export function convertTimezone(from: string, to: string, at: bigint): bigint | null {
  const instant = instantIn(from, at);
  const target = instant === null ? null : offsetOf(to, instant);
  return instant === null || target === null ? null : instant + target;
}

/** The instant, in UTC, at which clocks in a zone show this time. */
export function instantIn(zone: string, at: bigint): bigint | null {
  // The offset at the instant that the local time would be with the offset of that instant.
  const guess = offsetOf(zone, at);
  const offset = guess === null ? null : offsetOf(zone, at - guess);
  return offset === null ? null : at - offset;
}

/** `2020-01-01 10:10:10 America/New_York`: a timestamp behind which a zone has its name. In UTC; undefined when it is none. */
export function parseZonedText(text: string): bigint | undefined {
  const [, local, zone] = /^(.*\d)\s+([A-Za-z][\w+/-]*)\s*$/.exec(text) ?? [];
  const at = local === undefined ? undefined : parseTimestampText(local);
  return at === undefined || zone === undefined ? undefined : (instantIn(zone, at) ?? undefined);
}

/** How far clocks in a zone are ahead of UTC, in microseconds; null when there is no such zone. */
function offsetOf(zone: string, instant: bigint): bigint | null {
  const fixed = /^([+-])(\d{1,2})(?::?(\d{2}))?$/.exec(zone.trim());
  if (fixed !== null) {
    const minutes = BigInt(fixed[2] ?? 0) * 60n + BigInt(fixed[3] ?? 0);
    return (fixed[1] === '-' ? -minutes : minutes) * microsOfMinute;
  }
  const format = formatOf(zone.trim());
  if (format === null) return null;
  const { days, micros } = splitTimestamp(instant);
  const millis = days * 86_400_000 + Math.floor(micros / 1000);
  const parts = new Map(format.formatToParts(millis).map(({ type, value }) => [type, Number(value)]));
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  const local = daysOf(part('year'), part('month'), part('day')) * 86_400;
  const seconds = local + part('hour') * 3600 + part('minute') * 60 + part('second');
  return BigInt(seconds - Math.floor(millis / 1000)) * 1_000_000n;
}

function formatOf(timeZone: string): Intl.DateTimeFormat | null {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  if (formats.size >= formatsMax) formats.clear();
  let format: Intl.DateTimeFormat | null = null;
  try {
    const numeric = 'numeric' as const;
    const parts = { year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric, second: numeric };
    format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', calendar: 'iso8601', ...parts });
  } catch (thrown) {
    // There is no such zone.
    if (!(thrown instanceof RangeError)) throw thrown;
  }
  formats.set(timeZone, format);
  return format;
}
