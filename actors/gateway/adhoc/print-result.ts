// A result piece by piece: the bytes of each batch in turn, with a breath between them for the rest of the thread.
//
// Shared by the HTTP reply and the web socket. Nothing is printed before the consumer asks for it, so that a slow reader
// holds up only the frames, which are in memory anyway.
import { setImmediate } from 'node:timers/promises';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { decodeBatch } from '../../../runtime/wire/batch-codec.ts';
import type { RequestResult } from './execute-request.ts';
import type { QueryFormat } from './query-format.ts';

/** @throws the failure of a result whose format has no words for it, before anything is given */
export async function* printResult(
  result: RequestResult,
  format: QueryFormat,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const { schema, frames, failure } = result;
  if (failure !== null) {
    if (format.failed === null) throw failure;
    yield new TextEncoder().encode(format.failed(failure.message));
    return;
  }
  const printer = await format.printer(schema);
  const batchOf = (frame: ArrayBuffer): ChangeBatch => decodeBatch(frame, schema).batch;
  if (printer.survey !== undefined) {
    for (const frame of frames) {
      printer.survey(batchOf(frame));
      await setImmediate();
      signal.throwIfAborted();
    }
  }
  yield printer.begin();
  for (const frame of frames) {
    yield printer.frame(batchOf(frame));
    await setImmediate();
    signal.throwIfAborted();
  }
  yield printer.end();
}
