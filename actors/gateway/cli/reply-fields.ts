// Fields of the server's JSON replies. What is absent, or of another form than known, reads as nothing: a command may meet a
// server of another version. Used by the commands that print such replies; it checks nothing.

export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** '' when there is none. */
export function text(value: unknown, name: string): string {
  const found = member(value, name);
  return typeof found === 'string' ? found : '';
}

/** 0 when there is none. */
export function count(value: unknown, name: string): number {
  const found = member(value, name);
  return typeof found === 'number' ? found : 0;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Those in the order of a text that each has. */
export function sortedBy(items: readonly unknown[], name: string): unknown[] {
  return [...items].sort((a, b) => (text(a, name) < text(b, name) ? -1 : 1));
}
