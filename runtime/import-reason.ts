// Why a module of the user's could not be loaded, in words that say what to do where Node's do not.

/** `error` is what `import()` of a file has thrown. */
export function importReason(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  const isReadAsCommonJs = /outside a module|Unexpected token 'export'/.test(reason);
  return isReadAsCommonJs
    ? `${reason}: Node reads it as CommonJS; name it .mjs, or say "type": "module" in its package.json`
    : reason;
}
