// JSON text of plain values that may hold bigint (printed as a number, exactly), Uint8Array (array of byte numbers) and Date
// (ISO text): the forms that rows and statistics have. `JSON.stringify` refuses the first of them.

/** One line of JSON. `undefined` members are left out. */
export function jsonText(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Date) return JSON.stringify(value.toISOString());
  if (value instanceof Uint8Array) return `[${value.join(',')}]`;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => `${JSON.stringify(key)}:${jsonText(member)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
