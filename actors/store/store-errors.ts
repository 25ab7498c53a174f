// What can go wrong with a data folder. Raised by the store's parts, on its thread and in the opener's.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

export const FolderLocked: CodedErrorClass<{
  readonly folder: string;
  readonly pid: number;
  readonly host: string;
  readonly since: string;
}> = defineError(
  'store.folder_locked',
  { help: 'Stop that process, or give this one a folder of its own. If it is gone for ever, delete the file `lock`.' },
  (f) => `data folder ${f.folder} is in use by process ${f.pid} on ${f.host} since ${f.since}`,
);

export const FormatTooNew: CodedErrorClass<{
  readonly folder: string;
  readonly found: number;
  readonly supported: number;
}> = defineError(
  'store.format_too_new',
  { help: 'Use the version of Millrace that has written it, or a later one.' },
  (f) => `data folder ${f.folder} has format ${f.found}, this version of Millrace reads up to format ${f.supported}`,
);

export const FolderUnusable: CodedErrorClass<{ readonly folder: string; readonly detail: string }> = defineError(
  'store.folder_unusable',
  { help: 'The folder must exist or be creatable, be writable, and hold nothing that is not from Millrace.' },
  (f) => `data folder ${f.folder} cannot be used: ${f.detail}`,
);

export const VersionConflict: CodedErrorClass<{ readonly what: string }> = defineError(
  'store.version_conflict',
  { help: 'Somebody else has changed it; read it again and repeat the change.' },
  (f) => `${f.what} has changed or exists already`,
);

export const CheckpointCorrupt: CodedErrorClass<{
  readonly pipeline: string;
  readonly number: number;
  readonly detail: string;
}> = defineError(
  'store.checkpoint_corrupt',
  { help: 'Restore an earlier checkpoint, or clear the checkpoints and begin anew. Check the disk.' },
  (f) => `checkpoint ${f.number} of pipeline ${f.pipeline} is damaged: ${f.detail}`,
);

export const IngressLogCorrupt: CodedErrorClass<{
  readonly pipeline: string;
  readonly sequence: number;
  readonly detail: string;
}> = defineError(
  'store.ingress_log_corrupt',
  { help: 'Input from this record on cannot be replayed: send it again after clearing the pipeline. Check the disk.' },
  (f) => `record ${f.sequence} of the ingress log of pipeline ${f.pipeline} is damaged: ${f.detail}`,
);

export const StoreWriteFailed: CodedErrorClass<{
  readonly file: string;
  readonly reason: string;
  /** Of the disk; null: it cannot be said. */
  readonly freeBytes: number | null;
}> = defineError(
  'store.write_failed',
  {
    help: 'Make room on the disk, or mend what the message says. What was stored before is still there.',
    retry: 'later',
  },
  (f) =>
    `${f.file} cannot be written: ${f.reason}${f.freeBytes === null ? '' : `; ${f.freeBytes} bytes of its disk are free`}`,
);

export const StoreDamaged: CodedErrorClass<{ readonly file: string; readonly detail: string }> = defineError(
  'store.file_damaged',
  { help: 'Bring back a copy of the data folder, or move it away and begin anew. Check the disk.' },
  (f) => `${f.file} is damaged: ${f.detail}`,
);

export const StoreClosed: CodedErrorClass<{ readonly folder: string }> = defineError(
  'store.closed',
  { help: 'Open the data folder again.' },
  (f) => `the store in ${f.folder} is closed`,
);
