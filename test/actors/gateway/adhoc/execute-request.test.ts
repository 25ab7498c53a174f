// When an INSERT is answered: once queries see its rows, however long the engine takes, and at once in a transaction.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { executeRequest } from '../../../../actors/gateway/adhoc/execute-request.ts';
import type { Deployment } from '../../../../actors/gateway/hosting/deployment.ts';
import { eagerClock } from '../../../connectors/connector-context.ts';

interface Engine {
  /** How many times it is asked before the rows are in a step. */
  readonly asksMax: number;
  readonly transaction: object | null;
}

/** Answers how often it was asked for the step of the rows. */
async function insertInto({ asksMax, transaction }: Engine): Promise<number> {
  let asks = 0;
  const control = {
    insert: async () => ({ count: 1, token: 't' }),
    completionStatus: async () => ({ complete: false, step: ++asks > asksMax ? 1 : null }),
    stats: async () => ({ transaction }),
  };
  // SAFETY: these three calls are made, and the double answers them.
  const deployment = {
    call: async (_: string, make: (c: unknown) => unknown) => await make(control),
    wait: async (_: string, make: (c: unknown, waitId: number) => unknown) => await make(control, 1),
  } as unknown as Deployment;
  const limits = { timeoutMs: 100_000, bytesMax: 1_000 };
  await executeRequest(deployment, 'INSERT INTO t VALUES (1)', limits, new AbortController().signal, eagerClock());
  return asks;
}

test('rows that are in a step late are waited for', async () => {
  assert.is(await insertInto({ asksMax: 0, transaction: null }), 1);
  assert.is(await insertInto({ asksMax: 200, transaction: null }), 201);
});

test('rows that wait for the end of a transaction are not waited for', async () => {
  assert.ok((await insertInto({ asksMax: 200, transaction: { id: 1, status: 'started' } })) < 20);
});

test('nor is the request kept for longer than its time', async () => {
  assert.ok((await insertInto({ asksMax: Number.POSITIVE_INFINITY, transaction: null })) < 3_000);
});

test.run();
