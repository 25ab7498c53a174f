// What PostgreSQL says of a request that has failed, as coded errors that name the setting to look at. A password never
// enters a message: addresses are shown without it.
// Codes: https://www.postgresql.org/docs/15/errcodes-appendix.html
import { type CodedErrorClass, defineError, MillraceError } from '../../runtime/errors.ts';
import { isTlsFailure } from '../sdk/tls-settings.ts';

type At = { readonly server: string; readonly reason: string };

export const PostgresUnavailable: CodedErrorClass<At & { readonly attempts: number }> = defineError(
  'postgres.unavailable',
  { help: 'The server cannot be reached or is going down. Check `uri`, or raise `max_retries`.', retry: 'later' },
  (f) => `${f.server}: ${f.reason} (attempt ${f.attempts})`,
);

export const PostgresAccessDenied: CodedErrorClass<At> = defineError(
  'postgres.access_denied',
  {
    help: 'Check user and password in `uri`, what the user may do in this database, and whether the server wants TLS (`?sslmode=require`) or a certificate of the client (`ssl_client_pem`, `ssl_client_key`).',
  },
  (f) => `${f.server}: ${f.reason}`,
);

export const PostgresTls: CodedErrorClass<At> = defineError(
  'postgres.tls',
  {
    help: 'Check `ssl_ca_pem` or `ssl_ca_location`: the authority that has signed the certificate of the server; `verify_hostname`: whether it must be for the host of `uri`; that the server speaks TLS; and `ssl_client_pem`: the certificate of the client, if the server asks for one.',
  },
  (f) => `${f.server}: ${f.reason}`,
);

export const PostgresMissing: CodedErrorClass<At> = defineError(
  'postgres.missing',
  { help: 'Correct the name of the database, table, column, publication or slot that the message speaks of.' },
  (f) => `${f.server}: ${f.reason}`,
);

export const PostgresSlotTaken: CodedErrorClass<At> = defineError(
  'postgres.slot_taken',
  {
    help: 'Another program reads this replication slot: end it, or give this connector a `slot_name` of its own.',
    retry: 'later',
  },
  (f) => `${f.server}: ${f.reason}`,
);

export const PostgresSlotLost: CodedErrorClass<{
  readonly server: string;
  readonly slot: string;
  readonly detail: string;
}> = defineError(
  'postgres.slot_lost',
  {
    help: 'Changes behind the place where this connector goes on may be missing: the server keeps them no longer. Start the connector anew, from a snapshot, over an empty table; or set `resume_if_changes_lost: true` to go on without them.',
  },
  (f) => `${f.server}: replication slot "${f.slot}", which has been read before, ${f.detail}`,
);

export const PostgresSlotUnfit: CodedErrorClass<{
  readonly server: string;
  readonly slot: string;
  readonly detail: string;
}> = defineError(
  'postgres.slot_unfit',
  { help: 'Set `slot_name` to a name that no slot of the server has yet: the connector makes it.' },
  (f) => `${f.server}: replication slot "${f.slot}" ${f.detail}`,
);

export const PostgresRefused: CodedErrorClass<At & { readonly sqlstate: string }> = defineError(
  'postgres.refused',
  { help: 'The message is the server’s; check the setting that it speaks of.' },
  (f) => `${f.server}: ${f.reason}${f.sqlstate === '' ? '' : ` (SQLSTATE ${f.sqlstate})`}`,
);

export const PostgresColumns: CodedErrorClass<{ readonly server: string; readonly detail: string }> = defineError(
  'postgres.columns_differ',
  {
    help: 'Columns of the query or table feed those of the SQL table by their names: rename them, or leave them out of the query. Declare them with types that hold the values, or convert them in the query.',
  },
  (f) => `${f.server}: ${f.detail}`,
);

export const PostgresWalLevel: CodedErrorClass<{ readonly server: string; readonly found: string }> = defineError(
  'postgres.wal_level',
  { help: 'Set wal_level = logical in postgresql.conf and restart the server.' },
  (f) => `${f.server}: logical replication needs wal_level "logical", not "${f.found}"`,
);

export const PostgresSnapshotBroken: CodedErrorClass<{ readonly table: string }> = defineError(
  'postgres.snapshot_broken',
  {
    help: 'Give the table a primary key, then a snapshot that broke off is read again without doubles; or start the connector anew over an empty table.',
  },
  (f) => `${f.table}: its snapshot broke off, and rows without a primary key cannot be read again`,
);

export const PostgresUnsupportedChange: CodedErrorClass<{ readonly table: string; readonly detail: string }> =
  defineError(
    'postgres.unsupported_change',
    { help: 'Follow the advice of the message, then start the connector anew.' },
    (f) => `${f.table}: ${f.detail}`,
  );

export const PostgresNoIdentity: CodedErrorClass<{ readonly table: string; readonly detail: string }> = defineError(
  'postgres.no_identity',
  {
    help: 'Insertions are followed. For updates and deletions do what the message says; nothing has to be started anew.',
  },
  (f) => `${f.table}: ${f.detail}`,
);

export const PostgresUnpublishedColumns: CodedErrorClass<{
  readonly publication: string;
  readonly table: string;
  readonly columns: string;
}> = defineError(
  'postgres.columns_not_published',
  {
    help: 'They have their defaults in the SQL table. Add them to the column list of the publication, or leave them out of the SQL table; columns that the server generates can be computed in a view.',
  },
  (f) => `publication "${f.publication}" does not send the columns ${f.columns} of ${f.table}`,
);

export const PostgresOutputTaken: CodedErrorClass<{ readonly server: string; readonly output: string }> = defineError(
  'postgres.output_taken',
  {
    help: 'Two outputs that deliver exactly once may not go by one name: end the other one, or give this one an `output_id` of its own. If the other one is a session of a process that is gone, end it with pg_terminate_backend, or wait.',
    retry: 'later',
  },
  (f) => `${f.server}: another session writes as output "${f.output}"`,
);

export const PostgresOutputDiverged: CodedErrorClass<{
  readonly server: string;
  readonly output: string;
  readonly detail: string;
}> = defineError(
  'postgres.output_diverged',
  {
    help: 'What the database holds does not belong to the checkpoint that the pipeline goes on from: one of the two was restored, or rows were changed by hand. Look at the table, make it right, and delete the row of this output from the state table: then it goes on without looking back.',
  },
  (f) => `${f.server}: output "${f.output}": ${f.detail}`,
);

/** A final error, or null: it may pass. */
export function finalPostgresError(thrown: unknown, server: string): MillraceError | null {
  if (thrown instanceof MillraceError) return thrown;
  const { message, code } = failureOf(thrown);
  const context = { cause: thrown };
  const at = { server, reason: message };
  if (/^28|^42501$/.test(code)) return new PostgresAccessDenied(at, context);
  if (code === '55006') return new PostgresSlotTaken(at, context);
  if (/^(3D000|3F000|42P01|42703|42704)$/.test(code)) return new PostgresMissing(at, context);
  // All replication slots of the server are in use: nothing that passes by itself.
  if (code === '53400') return new PostgresRefused({ ...at, sqlstate: code }, context);
  // Connection lost, resources short, server going down: and everything that the socket says.
  if (/^(08|53|57P|58)/.test(code) || !/^[0-9A-Z]{5}$/.test(code)) {
    if (isTlsFailure(thrown)) return new PostgresTls(at, context);
    return /SASL|password must be a string/i.test(message) ? new PostgresAccessDenied(at, context) : null;
  }
  return new PostgresRefused({ ...at, sqlstate: code }, context);
}

/** Its words for a slot that was dropped or invalidated, or whose log is gone, differ from version to version. */
const slotGone =
  /(?:cannot read from logical|can no longer (?:get changes from|access)) replication slot|replication slot ".*" does not exist/;

/** When the server cannot give any more what the slot should have kept: that. */
export function slotLost(
  thrown: unknown,
  { server, slot }: { readonly server: string; readonly slot: string },
): MillraceError | null {
  const { message, code } = failureOf(thrown);
  const isGone = slotGone.test(message) || (code === '58P01' && /WAL segment .* removed/.test(message));
  return isGone
    ? new PostgresSlotLost({ server, slot, detail: `is no longer there: ${message}` }, { cause: thrown })
    : null;
}

export function failureOf(thrown: unknown): { readonly message: string; readonly code: string } {
  const error = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
  if (!(error instanceof Error)) return { message: String(thrown), code: '' };
  const code = 'code' in error ? String(error.code) : '';
  return { message: error.message === '' ? code : error.message, code };
}
