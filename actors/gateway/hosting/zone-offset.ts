// The offset of a time zone from UTC as text: `+05:30`, `-0800`, `Z`.

const zonePattern = /^([+-])(\d{2}):?(\d{2})$/;

export function isZoneOffset(text: unknown): boolean {
  return typeof text === 'string' && (text === 'Z' || zonePattern.test(text));
}

/** 0 for what is no offset. */
export function zoneOffsetMs(text: string): number {
  const [, sign, hours, minutes] = zonePattern.exec(text) ?? [];
  const minutesAll = Number(hours ?? 0) * 60 + Number(minutes ?? 0);
  return (sign === '-' ? -minutesAll : minutesAll) * 60_000;
}
