// Why a pipeline could not be measured, besides what is wrong with the pipeline itself.
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';

export const NothingToMeasure: CodedErrorClass<{ readonly file: string }> = defineError(
  'config.no_inputs',
  { help: 'Add an input connector, such as a datagen that makes rows: without one nothing comes in by itself.' },
  (f) => `${f.file} has no input connector: there is nothing to measure`,
);

export const MeasuredProcessGone: CodedErrorClass<{ readonly exit: string }> = defineError(
  'bench.process_gone',
  { help: 'What it has printed last says why; `millrace run` of the same file may show more.' },
  (f) => `the measured process has ended before its run: ${f.exit}`,
);
