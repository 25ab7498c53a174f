// What can be wrong with a pipeline file of Conduit beyond what every configuration may have wrong.
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';

export const FileVariableUnset: CodedErrorClass<{ readonly variable: string }> = defineError(
  'config.file_variable_unset',
  { help: 'Set the environment variable; in a template, `$name` stays as it is.' },
  (f) => `the environment variable ${f.variable} is not set`,
);

export const FileVersionUnknown: CodedErrorClass<{ readonly version: string }> = defineError(
  'config.file_version',
  { help: 'Versions 1.0, 1.1 and 2.x of pipeline files are read.' },
  (f) => `version ${f.version} of pipeline files is not known`,
);

export const FileIdDuplicate: CodedErrorClass<{ readonly what: string; readonly id: string }> = defineError(
  'config.id_duplicate',
  { help: 'Ids are unique: pipelines in all files, connectors in a pipeline, processors in their parent.' },
  (f) => `there are two ${f.what} "${f.id}"`,
);
