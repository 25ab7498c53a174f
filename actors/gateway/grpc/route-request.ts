// A gRPC call as a request to a route: where it goes and with what; and what came back as a message or a status.
import { errorInfo, status as statusMessage } from './conduit-messages.ts';
import type { GrpcMethod } from './conduit-methods.ts';
import { type Json, writeMessage } from './proto-message.ts';

export interface RouteCall {
  readonly verb: string;
  readonly url: string;
  readonly body: string | null;
}

export interface GrpcStatus {
  readonly code: number;
  readonly message: string;
  /** google.rpc.Status; null: there is no more to say. */
  readonly details: Uint8Array | null;
}

export const grpcCodes = { ok: 0, invalidArgument: 3, unimplemented: 12, internal: 13, unavailable: 14 } as const;

export function routeCall({ verb, path, body }: GrpcMethod, request: Json): RouteCall {
  const rest = new Map(Object.entries(request));
  const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = rest.get(name) ?? '';
    rest.delete(name);
    return encodeURIComponent(String(value));
  });
  if (verb === 'POST' || verb === 'PUT') {
    return { verb, url, body: JSON.stringify(body === undefined ? Object.fromEntries(rest) : (rest.get(body) ?? {})) };
  }
  const query = new URLSearchParams();
  for (const [name, value] of rest) {
    for (const item of Array.isArray(value) ? value : [value]) if (item !== '') query.append(name, String(item));
  }
  return { verb, url: query.size === 0 ? url : `${url}?${query}`, body: null };
}

/** The reply's message from what the route has answered. */
export function replyBytes({ reply, answer }: GrpcMethod, json: unknown): Uint8Array {
  return writeMessage(reply, answer === undefined ? json : { [answer]: json });
}

/** From the body of an error of `/v1`. */
export function statusOf(body: unknown): GrpcStatus {
  const { code, message, details } = Object(body);
  if (typeof code !== 'number') return { code: grpcCodes.internal, message: 'the server has failed', details: null };
  const infos = Array.isArray(details) ? details : [];
  const any = infos.map((detail: unknown) => {
    const { '@type': typeUrl } = Object(detail);
    return { typeUrl, value: Buffer.from(writeMessage(errorInfo, detail)).toString('base64') };
  });
  return { code, message: String(message), details: writeMessage(statusMessage, { code, message, details: any }) };
}
