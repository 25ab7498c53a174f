// `$NAME` and `${NAME}` in the texts of a pipeline file, as Go's os.ExpandEnv replaces them, with two differences: a variable
// that is not set is a problem and not an empty text, and in a text that holds a template (`{{`) `$name` is the template's own.

export interface ExpandedText {
  readonly text: string;
  /** Names that are not set. */
  readonly unset: readonly string[];
}

export function expandEnvironment(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): ExpandedText {
  if (!text.includes('$')) return { text, unset: [] };
  const isTemplate = text.includes('{{');
  const unset: string[] = [];
  const expanded = text.replace(
    /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g,
    (whole: string, braced: string | undefined, bare: string | undefined) => {
      const name = braced ?? bare ?? '';
      const value = environment[name];
      if (value !== undefined) return value;
      if (bare === undefined || !isTemplate) unset.push(name);
      return whole;
    },
  );
  return { text: expanded, unset };
}
