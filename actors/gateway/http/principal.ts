// Who is behind a request, as access control has found.
import type { AccessScope } from '../../store/messages.ts';

export interface Principal {
  /** null: nobody in particular. */
  readonly key: string | null;
  readonly scopes: readonly AccessScope[];
  /** null: all. */
  readonly pipelines: readonly string[] | null;
}
