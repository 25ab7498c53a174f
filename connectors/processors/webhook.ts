// webhook.http: a request for every record, its answer into a field of the record.
//
// The address and the body may be templates. A status of 500 and above, and a request that does not get through, are tried again with
// growing pauses, then refuse the record. It talks to the address that its configuration names and to no other: redirects are answers.

import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import { ConfigInvalidValue } from '../sdk/configuration-errors.ts';
import { parseDuration } from '../sdk/duration.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import type { ProcessorContext, ProcessorDefinition } from '../sdk/processor.ts';
import { wait } from '../sdk/wait.ts';
import { GoTemplate } from '../templates/go-template.ts';
import { webhookHttpDeclaration } from './declarations.ts';
import { parseFieldReference, type RecordDraft, setField } from './field-reference.ts';
import { perDraft } from './per-draft.ts';

export const WebhookFailed: CodedErrorClass<{ readonly url: string; readonly reason: string }> = defineError(
  'processor.webhook_failed',
  {
    help: 'Look at the service behind the address. backoffRetry.count says how often a request is repeated.',
    retry: 'later',
  },
  (f) => `the request to ${f.url} failed: ${f.reason}`,
);

const answerBytesMax = 64 * 1024 * 1024;

export const webhookHttp: ProcessorDefinition = {
  ...webhookHttpDeclaration,
  create: (configuration, context) => {
    const plan = planRequest(configuration, context);
    return perDraft((draft) => sendWithRetries(plan, context, draft));
  },
};

interface RequestPlan {
  readonly url: (draft: RecordDraft) => string;
  readonly body: (draft: RecordDraft) => Uint8Array | null;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly setBody: (draft: RecordDraft, bytes: Uint8Array) => void;
  readonly setStatus: (draft: RecordDraft, status: number) => void;
  readonly retries: number;
  readonly factor: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** @throws a coded error */
function planRequest(configuration: ParameterValues, context: ProcessorContext): RequestPlan {
  const text = (key: string): string => String(configuration[key] ?? '');
  const address = text('request.url');
  const isTemplate = address.includes('{{');
  if (!isTemplate && !/^https?:$/.test(URL.canParse(address) ? new URL(address).protocol : '')) {
    throw new ConfigInvalidValue({ key: 'request.url', reason: 'is no http:// or https:// address' });
  }
  const urlTemplate = isTemplate ? new GoTemplate(address, context.clock) : null;
  const body = text('request.body');
  const bodyTemplate = body.includes('{{') ? new GoTemplate(body, context.clock) : null;
  const fixedBody = body === '' ? null : new TextEncoder().encode(body);
  const bodyField = parseFieldReference(text('response.body'));
  const statusText = text('response.status');
  if (statusText === text('response.body')) {
    throw new ConfigInvalidValue({ key: 'response.status', reason: 'is the same field as response.body' });
  }
  const statusField = statusText === '' ? null : parseFieldReference(statusText);
  return {
    url: (draft) => urlTemplate?.executeRecord(draft) ?? address,
    body: (draft) => bodyTemplate?.recordBytes(draft) ?? fixedBody,
    method: text('request.method').toUpperCase(),
    headers: headersOf(configuration),
    setBody: (draft, bytes) =>
      setField(draft, bodyField, bodyField.path[0] === 'Metadata' ? Buffer.from(bytes).toString() : bytes),
    setStatus: (draft, status) => statusField !== null && setField(draft, statusField, String(status)),
    retries: Number(configuration['backoffRetry.count']),
    factor: Number(configuration['backoffRetry.factor']),
    minMs: parseDuration(text('backoffRetry.min')) ?? 0,
    maxMs: parseDuration(text('backoffRetry.max')) ?? 0,
  };
}

function headersOf(configuration: ParameterValues): Readonly<Record<string, string>> {
  // SAFETY: the values have been validated against the parameters above.
  const given = (configuration['headers'] ?? {}) as Readonly<Record<string, string>>;
  const contentType = configuration['request.contentType'];
  const hasOwn = Object.keys(given).some((name) => name.toLowerCase() === 'content-type');
  if (hasOwn && contentType !== undefined) {
    const reason = 'and "headers.Content-Type" are both given; the latter is enough';
    throw new ConfigInvalidValue({ key: 'request.contentType', reason });
  }
  return hasOwn ? given : { ...given, 'Content-Type': String(contentType ?? 'application/json') };
}

async function sendWithRetries(plan: RequestPlan, context: ProcessorContext, draft: RecordDraft): Promise<void> {
  const url = plan.url(draft);
  if (!URL.canParse(url)) throw new WebhookFailed({ url, reason: 'it is no address' });
  const body = plan.body(draft);
  let pauseMs = plan.minMs;
  for (let attempt = 0; ; attempt++) {
    try {
      await send(plan, context, draft, url, body);
      return;
    } catch (thrown) {
      if (attempt >= plan.retries || context.signal.aborted || !(thrown instanceof WebhookFailed)) throw thrown;
    }
    await wait(context.clock, pauseMs, context.signal);
    pauseMs = Math.min(plan.maxMs, pauseMs * plan.factor);
  }
}

async function send(
  plan: RequestPlan,
  context: ProcessorContext,
  draft: RecordDraft,
  url: string,
  body: Uint8Array | null,
): Promise<void> {
  // Every thread loads the registry, and few need a client: it is loaded when the first request is sent.
  const { request } = await import('undici');
  // Addresses may hold secrets behind the question mark.
  const shown = url.replace(/[?#].*$/, '');
  let status: number;
  let answer: Uint8Array;
  try {
    const response = await request(url, { method: plan.method, headers: plan.headers, body, signal: context.signal });
    status = response.statusCode;
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of response.body) {
      length += part.length;
      if (length > answerBytesMax) throw new Error(`the answer has more than ${answerBytesMax} bytes`);
      parts.push(part);
    }
    answer = new Uint8Array(Buffer.concat(parts));
  } catch (cause) {
    throw new WebhookFailed({ url: shown, reason: cause instanceof Error ? cause.message : String(cause) }, { cause });
  }
  if (status >= 500) throw new WebhookFailed({ url: shown, reason: `status ${status}` });
  plan.setBody(draft, answer);
  plan.setStatus(draft, status);
}
