// A processor under a condition: a Go template over the record that prints true or false, in any of the spellings of Go's ParseBool.
//
// Records for which it is false pass unchanged, in their place in the order; a record on which it fails, or for which it prints
// something else, is refused.

import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { concatBatches } from '../../runtime/batch/concat-batches.ts';
import { gatherRows } from '../../runtime/batch/gather-rows.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import type { FailedRecord, ProcessedBatch, Processor } from '../sdk/processor.ts';
import { recordAt, recordSchema } from '../sdk/record-batch.ts';
import { GoTemplate } from '../templates/go-template.ts';

export const ConditionNotBoolean: CodedErrorClass<{ readonly printed: string }> = defineError(
  'processor.condition_not_boolean',
  { help: 'A condition prints true or false: {{ eq .Metadata.kind "x" }}, without text or spaces around it.' },
  (f) => `the condition printed "${f.printed}", which is neither true nor false`,
);

/** @throws TemplateMalformed */
export function conditional(processor: Processor, condition: string, clock: Clock): Processor {
  const template = new GoTemplate(condition, clock);
  const process = async (batch: ChangeBatch): Promise<ProcessedBatch> => {
    const chosen: number[] = [];
    const passed: number[] = [];
    const failed: FailedRecord[] = [];
    for (let row = 0; row < batch.rows; row++) {
      try {
        (isTrue(template.executeRecord(recordAt(batch, row))) ? chosen : passed).push(row);
      } catch (thrown) {
        failed.push({ row, error: thrown instanceof Error ? thrown : new Error(String(thrown)) });
      }
    }
    if (chosen.length === 0) return merge(batch, passed, null, [], failed);
    const rows = Int32Array.from(chosen);
    const part = rows.length === batch.rows ? batch : gatherRows(batch, rows, rows.length, null);
    const answer = await processor.process(part);
    for (const { row, error } of answer.failed) failed.push({ row: chosen[row] ?? row, error });
    return merge(
      batch,
      passed,
      answer,
      chosen,
      failed.sort((a, b) => a.row - b.row),
    );
  };
  return {
    process,
    ...(processor.open === undefined ? {} : { open: () => processor.open?.() }),
    ...(processor.teardown === undefined ? {} : { teardown: () => processor.teardown?.() }),
  };
}

/** The rows that passed and those that were made, in the order of the rows that they come from. */
function merge(
  batch: ChangeBatch,
  passed: readonly number[],
  answer: ProcessedBatch | null,
  chosen: readonly number[],
  failed: readonly FailedRecord[],
): ProcessedBatch {
  const made = answer?.batch.rows ?? 0;
  const rows = new Int32Array(passed.length + made);
  const origins = new Int32Array(rows.length);
  let p = 0;
  let m = 0;
  for (let at = 0; at < rows.length; at++) {
    const pass = passed[p] ?? Number.POSITIVE_INFINITY;
    const make = m < made ? (chosen[answer?.origins?.[m] ?? m] ?? 0) : Number.POSITIVE_INFINITY;
    rows[at] = pass < make ? pass : batch.rows + m;
    origins[at] = Math.min(pass, make);
    if (pass < make) p++;
    else m++;
  }
  const all = answer === null ? batch : concatBatches([batch, answer.batch], recordSchema);
  return { batch: gatherRows(all, rows, rows.length, null), origins, failed };
}

function isTrue(printed: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(printed)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(printed)) return false;
  throw new ConditionNotBoolean({ printed: printed.length > 60 ? `${printed.slice(0, 57)}...` : printed });
}
