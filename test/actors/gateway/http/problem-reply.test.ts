// Which status a coded error gets, and which variables of the environment the server takes for its own.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { toProblem } from '../../../../actors/gateway/http/problem-reply.ts';
import { readServeOptions } from '../../../../actors/gateway/server/serve-configuration.ts';
import { PipelineNotStarted } from '../../../../actors/supervisor/supervision-errors.ts';
import { defineError } from '../../../../runtime/errors.ts';

function statusOf(code: string): number {
  const Coded = defineError(code, { help: 'none' }, () => 'what went wrong');
  return toProblem(new Coded({})).status;
}

test('the store failing is no fault of the client', () => {
  assert.is(statusOf('store.checkpoint_corrupt'), 500);
  assert.is(statusOf('store.folder_unusable'), 500);
  assert.is(statusOf('store.closed'), 503);
  assert.is(statusOf('store.version_conflict'), 409);
});

test('over HTTP the help of a pipeline that does not run names requests, not calls of a program', () => {
  const { status, details } = toProblem(new PipelineNotStarted({ call: 'query' }));
  assert.is(status, 503);
  const { help } = details as { help: string };
  assert.match(help, 'POST /v0/pipelines/NAME/start');
  assert.not.match(help, /\w\(\)/);
});

test('what is no coded error is a defect whose text stays in the log', () => {
  const problem = toProblem(new Error('a secret path'));
  assert.is(problem.status, 500);
  assert.not.match(problem.message, 'secret');
});

test('misspelt variables of the server are refused with the nearest, those of others are let be', () => {
  const others = ['CHROMIUM', 'LONG', 'URL', 'API_KEY', 'S3_BUCKET', 'S3_ENDPOINT', 'KAFKA', 'TEST_SECONDS'];
  const environment = Object.fromEntries(others.map((name) => [`MILLRACE_${name}`, 'x']));
  assert.is(readServeOptions({}, { ...environment, MILLRACE_PORT: '1' }).port, 1);
  assert.is(readServeOptions({ 'key-rate': '50' }, environment).requestsPerSecondMax, 50);
  assert.throws(
    () => readServeOptions({}, { MILLRACE_KEY_BODY_BYTES: '0' }),
    /key-body-bytes '0' is no positive integer/,
  );
  try {
    readServeOptions({}, { MILLRACE_PROT: '1' });
  } catch (error) {
    assert.is((error as { suggestion?: unknown }).suggestion, 'MILLRACE_PORT');
    return;
  }
  assert.unreachable('a misspelt variable');
});

test.run();
