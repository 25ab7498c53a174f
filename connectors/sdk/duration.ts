// Lengths of time as text, in the form of Go's time.ParseDuration: '300ms', '1.5h', '2h45m', '-1s', '0'.
// https://pkg.go.dev/time#ParseDuration

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  '\u00b5s': 1e-3,
  '\u03bcs': 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds, or null when `text` is no duration. */
export function parseDuration(text: string): number | null {
  const [, sign, rest = ''] = /^([+-]?)(.*)$/.exec(text) ?? [];
  if (rest === '0') return 0;
  const part = /(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;
  let ms = 0;
  let end = 0;
  for (let match = part.exec(rest); match !== null; match = part.exec(rest)) {
    ms += Number(match[1]) * (unitMs[match[2] ?? ''] ?? 0);
    end = part.lastIndex;
  }
  if (end === 0 || end !== rest.length) return null;
  return sign === '-' ? -ms : ms;
}
