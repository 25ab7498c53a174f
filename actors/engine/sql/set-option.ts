// SET name = value: options of Feldera's compiler. Those that only ask for warnings or for other code have no effect here, where there is
// neither; every other one is refused.
import type { Identifier } from './ast.ts';
import { SqlUnsupported } from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';

const withoutEffect =
  /^feldera_(?:warnings_are_errors|ignore_warning_\w+|use_multi_joins|avoid_star_joins|flat_variant)$/;

/** @throws SqlUnsupported */
export function requireOption(source: SqlText, name: Identifier): void {
  if (withoutEffect.test(name.name.toLowerCase())) return;
  const construct = `SET ${name.name.toUpperCase()}`;
  throw new SqlUnsupported({ construct, instead: 'leave it out' }, { place: source.span(name.span) });
}
