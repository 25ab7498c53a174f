// A parameter of a path that is true or false. Another word is refused: `?force=yes` is no wish to wait for a checkpoint.
import { HttpProblem } from '../http/http-problem.ts';

/** @throws HttpProblem 400 */
export function flag(query: URLSearchParams, name: string, otherwise = false): boolean {
  const text = query.get(name);
  if (text === null) return otherwise;
  if (text === 'true' || text === 'false') return text === 'true';
  const message = `'${name}' is '${text}', but must be true or false`;
  throw new HttpProblem({ status: 400, code: 'InvalidParam', message, details: { parameter: name } });
}
