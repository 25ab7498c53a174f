// Paths into a VARIANT, as JSON_KEYS and the lambdas over a VARIANT spell them.

/** A key as a part of a path: quoted where it could be mistaken for several. */
export function pathKey(key: string): string {
  return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(key) ? key : `"${key.replaceAll(/["\\]/g, '\\$&')}"`;
}

export function isJsonObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
