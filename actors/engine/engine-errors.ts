// What the engine actor itself can say is wrong.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

export const EngineFailed: CodedErrorClass<Record<string, never>> = defineError(
  'engine.failed',
  { help: 'A step could not be computed; the pipeline has failed with the cause. Correct it and start anew.' },
  () => 'the engine has stopped after a step that could not be computed',
);

export const TransactionInProgress: CodedErrorClass<{ readonly id: number }> = defineError(
  'transaction.in_progress',
  { help: 'Commit the transaction first.' },
  (f) => `transaction ${f.id} is in progress`,
);

export const NoTransactionInProgress: CodedErrorClass<Record<string, never>> = defineError(
  'transaction.none',
  { help: 'Start a transaction first.' },
  () => 'no transaction is in progress',
);

export const InputUnknown: CodedErrorClass<{ readonly endpoint: string }> = defineError(
  'engine.input_unknown',
  { help: 'The input has been detached, or was never attached.' },
  (f) => `the engine has no input ${f.endpoint}`,
);
