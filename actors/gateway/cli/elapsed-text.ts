// How long ago something was, as a person says it: the two largest units, such as `3m 20s` or `2d 4h`.

const units: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
];

/** '' when `since` is no time. Times are milliseconds. */
export function elapsedText(since: string, now: number): string {
  const started = Date.parse(since);
  return Number.isNaN(started) ? '' : durationText(Math.max(0, now - started));
}

export function durationText(milliseconds: number): string {
  let seconds = Math.floor(milliseconds / 1000);
  const parts: string[] = [];
  for (const [unit, length] of units) {
    const amount = Math.floor(seconds / length);
    seconds -= amount * length;
    if (amount > 0 || parts.length > 0) parts.push(amount === 0 ? '' : `${amount}${unit}`);
    if (parts.length === 2) break;
  }
  return parts.filter((part) => part !== '').join(' ') || '0s';
}
