// Ad-hoc SQL over a web socket: the client sends one text frame {"sql": …, "format": …}, gets the result in frames of at
// most 2 MiB (text for text, json, csv and hash, else binary) and then close 1000.
//
// An error is a text frame with the error as JSON, then close 1011. One query a socket. A slow reader is waited for.
import type { RawData, WebSocket } from 'ws';
import { systemClock } from '../../../runtime/clock.ts';
import { errorToData } from '../../../runtime/errors.ts';
import type { RawExchange } from '../hosting/deployment.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { executeRequest } from './execute-request.ts';
import { printResult } from './print-result.ts';
import { queryFormat } from './query-format.ts';
import { limitsOf, printProblem, type QueryHandlerOptions } from './query-handler.ts';

const frameBytesMax = 2 * 1024 * 1024;
const closedNormally = 1000;
const closedByError = 1011;

/** Resolves when the socket is closed or being closed. Never rejects. */
export async function acceptQuerySocket(
  socket: WebSocket,
  exchange: Omit<RawExchange, 'response'>,
  options: QueryHandlerOptions = {},
): Promise<void> {
  const left = new AbortController();
  socket.once('close', () => left.abort());
  // `close` follows, which is what counts.
  socket.on('error', () => {});
  const signal = AbortSignal.any([exchange.signal, left.signal]);
  try {
    const request = readRequest(await firstMessage(socket, signal));
    const format = queryFormat(request.format);
    const clock = options.clock ?? systemClock;
    const result = await executeRequest(exchange.deployment, request.sql, limitsOf(options), signal, clock);
    for await (const piece of printResult(result, format, signal)) {
      for (const part of parts(piece, format.isText)) await send(socket, part, !format.isText);
    }
    socket.close(closedNormally);
  } catch (thrown) {
    if (socket.readyState !== socket.OPEN) return;
    if (exchange.signal.aborted) {
      socket.close(1001);
      return;
    }
    await send(socket, new TextEncoder().encode(errorBody(printProblem(thrown))), false).catch(() => {});
    socket.close(closedByError);
  }
}

function firstMessage(socket: WebSocket, signal: AbortSignal): Promise<{ data: RawData; isBinary: boolean }> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    socket.once('message', (data, isBinary) => resolve({ data, isBinary }));
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** @throws HttpProblem */
function readRequest({ data, isBinary }: { data: RawData; isBinary: boolean }): { sql: string; format: string } {
  const malformed = (detail: string): HttpProblem =>
    new HttpProblem({ status: 400, code: 'InvalidParam', message: `${detail}; send {"sql": "…", "format": "text"}` });
  if (isBinary) throw malformed('the request is a text frame');
  let request: unknown;
  try {
    request = JSON.parse(textOf(data));
  } catch {
    throw malformed('the request is not JSON');
  }
  if (typeof request !== 'object' || request === null) throw malformed('the request is not an object');
  const sql: unknown = Reflect.get(request, 'sql');
  const format: unknown = Reflect.get(request, 'format') ?? 'text';
  if (typeof sql !== 'string') throw malformed('"sql" is not a string');
  if (typeof format !== 'string') throw malformed('"format" is not a string');
  return { sql, format };
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return data instanceof ArrayBuffer ? Buffer.from(data).toString('utf8') : data.toString('utf8');
}

function errorBody(error: unknown): string {
  if (error instanceof HttpProblem) {
    return JSON.stringify({ message: error.message, error_code: error.code, details: error.details });
  }
  const { code, message } = errorToData(error);
  return JSON.stringify({ message, error_code: code, details: null });
}

/** Pieces of a frame's size; text is cut between characters. */
function* parts(bytes: Uint8Array, isText: boolean): Generator<Uint8Array, void, void> {
  for (let start = 0; start < bytes.length; ) {
    let end = Math.min(bytes.length, start + frameBytesMax);
    while (isText && end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
    yield bytes.subarray(start, end);
    start = end;
  }
}

function send(socket: WebSocket, bytes: Uint8Array, binary: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(bytes, { binary }, (error) => {
      if (error == null) resolve();
      else reject(error);
    });
  });
}
