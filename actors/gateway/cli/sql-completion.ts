// What the SQL shell completes the word before the cursor to: keywords, tables, views and columns.
//
// Behind FROM, JOIN and INTO only relations, behind `name.` only the columns of that relation; keywords take the case in
// which they were begun. Pure.

export interface ShellRelation {
  readonly name: string;
  readonly kind: 'table' | 'view' | 'materialized view';
  readonly columns: readonly { readonly name: string; readonly type: string; readonly nullable: boolean }[];
}

const keywords =
  'SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT OFFSET DISTINCT AS AND OR NOT NULL IS IN LIKE BETWEEN CASE WHEN THEN ELSE END JOIN LEFT RIGHT ' +
  'INNER CROSS ON USING UNION ALL EXCEPT INTERSECT WITH VALUES INSERT INTO CAST COUNT SUM MIN MAX AVG COALESCE TRUE FALSE DATE TIME TIMESTAMP ' +
  'INTERVAL ASC DESC NULLS FIRST LAST LIVE';
const commands = ['\\d', '\\q', '\\watch', '\\?'];

/** The candidates, and the word that they complete: what node:readline asks for. */
export function complete(text: string, relations: readonly ShellRelation[]): [string[], string] {
  if (text.startsWith('\\') && !text.includes(' ')) return [commands.filter((name) => name.startsWith(text)), text];
  const word = /[\w$"]*(?:\.[\w$"]*)?$/.exec(text)?.[0] ?? '';
  const before = text.slice(0, text.length - word.length).trimEnd();
  const point = word.indexOf('.');
  if (point >= 0) {
    const owner = word.slice(0, point).replaceAll('"', '').toLowerCase();
    const columns = relations.find(({ name }) => name.toLowerCase() === owner)?.columns ?? [];
    const prefix = word.slice(0, point + 1);
    return [
      matching(
        columns.map(({ name }) => `${prefix}${quoteName(name)}`),
        word,
      ),
      word,
    ];
  }
  const names = relations.map(({ name }) => quoteName(name));
  if (/(?:\b(?:from|join|into)|\\d)$/i.test(before)) return [matching(names, word), word];
  const columns = relations.flatMap((relation) => relation.columns.map(({ name }) => quoteName(name)));
  const isLower = word !== '' && word === word.toLowerCase();
  const words = keywords.split(' ').map((keyword) => (isLower ? keyword.toLowerCase() : keyword));
  return [matching([...new Set([...columns, ...names, ...words])], word), word];
}

/** The relations whose names stand in a query. */
export function mentioned(sql: string, relations: readonly ShellRelation[]): readonly ShellRelation[] {
  const text = sql.replaceAll(/'(?:[^']|'')*'/g, ' ');
  const words = new Set([...text.matchAll(/"((?:[^"]|"")*)"|[\w$]+/g)].map((m) => m[1] ?? m[0].toLowerCase()));
  return relations.filter(({ name }) => words.has(name));
}

function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

function matching(candidates: readonly string[], word: string): string[] {
  const wanted = word.toLowerCase();
  return candidates.filter((candidate) => candidate.toLowerCase().startsWith(wanted)).sort();
}
