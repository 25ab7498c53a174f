// Texts and names whose characters may be written by their code points: U&'d\0061t\0061', U&"d!0061t!0061" UESCAPE '!'.
//
// Behind the escape character stand four hexadecimal digits, + and six of them, or the escape character itself.

const parts = /^..(?:'((?:[^']|'')*)'|"((?:[^"]|"")*)")(?:\s+\w+\s+'(.)')?$/su;

/** What is written, read; what is no escape stays as it stands. */
export function unescaped(image: string): string {
  const { body, escapeBy } = partsOf(image);
  return body.replace(escapes(escapeBy), (whole, four?: string, six?: string) => {
    const digits = four ?? six;
    if (digits === undefined) return whole === escapeBy ? whole : escapeBy;
    const point = Number.parseInt(digits, 16);
    return point > 0x10ffff ? '\ufffd' : String.fromCodePoint(point);
  });
}

/** Whether some escape character has none of the forms behind it. */
export function hasWrongEscape(image: string): boolean {
  const { body, escapeBy } = partsOf(image);
  return [...body.matchAll(escapes(escapeBy))].some(([whole]) => whole === escapeBy);
}

function partsOf(image: string): { readonly body: string; readonly escapeBy: string } {
  const [, text, name, escapeBy = '\\'] = parts.exec(image) ?? [];
  const body = text === undefined ? (name ?? '').replaceAll('""', '"') : text.replaceAll("''", "'");
  return { body, escapeBy };
}

function escapes(escapeBy: string): RegExp {
  const quoted = escapeBy.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
  return new RegExp(`${quoted}(?:([0-9a-fA-F]{4})|\\+([0-9a-fA-F]{6})|${quoted})?`, 'gu');
}
