// A table or view as a path names it: a SQL identifier. Unquoted text is folded to lower case, `"Quoted"` is taken as it
// stands; a bare name that matches exactly is accepted too, since clients send special characters without quotes.
import { nearestName } from '../../../runtime/nearest-name.ts';
import { HttpProblem } from '../http/http-problem.ts';

/** @throws HttpProblem 404 with `code` */
export function relationByPath<R extends { readonly name: string }>(
  relations: readonly R[],
  segment: string,
  code: 'ConfigError.UnknownInputStream' | 'ConfigError.UnknownOutputStream',
): R {
  const quoted = segment.length >= 2 && segment.startsWith('"') && segment.endsWith('"');
  const wanted = quoted ? segment.slice(1, -1).replaceAll('""', '"') : segment.toLowerCase();
  const found =
    (quoted ? undefined : relations.find((relation) => relation.name === segment)) ??
    relations.find((relation) => relation.name === wanted);
  if (found !== undefined) return found;
  const kind = code === 'ConfigError.UnknownInputStream' ? 'table' : 'view or table';
  const names = relations.map((relation) => relation.name);
  const nearest = nearestName(wanted, names);
  const hint = nearest === null || nearest === undefined ? '' : `; did you mean '${nearest}'?`;
  throw new HttpProblem({
    status: 404,
    code,
    message: `there is no ${kind} '${wanted}' in this pipeline${hint}`,
    details: { stream_name: wanted },
  });
}
