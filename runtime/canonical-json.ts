// JSON text of a value, equal for values that mean the same: for comparing and for fingerprints, not for reading back.
//
// What JSON has no form for (64-bit integers, infinities, maps) is spelled so that different values differ. The caller
// says which members mean nothing. Pure.

export function canonicalJson(value: unknown, isLeftOut: (key: string, value: unknown) => boolean): string {
  return JSON.stringify(value, (key, item: unknown) => {
    if (isLeftOut(key, item)) return undefined;
    if (typeof item === 'bigint') return `${item}n`;
    if (typeof item === 'number' && !Number.isFinite(item)) return String(item);
    return item instanceof Map ? [...item] : item;
  });
}
