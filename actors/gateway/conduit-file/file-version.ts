// The version that a pipeline file says it is of, and what that means for its form.

export interface FileVersion {
  /** Things are keyed by their id instead of listed: 1.x. */
  readonly isKeyed: boolean;
  /** Of a later version than the latest that is known: it may hold fields that are not known. */
  readonly isNewer: boolean;
  /** A processor's `type` is called `plugin`: since 2.2. */
  readonly hasProcessorPlugin: boolean;
}

export const latestVersion: FileVersion = { isKeyed: false, isNewer: false, hasProcessorPlugin: true };

/** null: not one that is read. */
export function fileVersion(text: string): FileVersion | null {
  const found = /^(\d+)(?:\.(\d+))?$/.exec(text);
  const major = Number(found?.[1] ?? Number.NaN);
  const minor = Number(found?.[2] ?? 0);
  if (major === 1 && minor <= 1) return { isKeyed: true, isNewer: false, hasProcessorPlugin: false };
  if (major !== 2) return null;
  return { isKeyed: false, isNewer: minor > 2, hasProcessorPlugin: minor >= 2 };
}
