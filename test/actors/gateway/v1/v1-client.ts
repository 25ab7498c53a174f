// Calls of `/v1` of a server for tests: `const { get, post } = v1Client(server.url)`.

export interface V1Reply {
  readonly status: number;
  // SAFETY of uses: a field that is not there is undefined and fails the comparison.
  readonly body: never;
  readonly headers: Headers;
}

export interface V1Client {
  get(path: string): Promise<V1Reply>;
  post(path: string, body?: unknown): Promise<V1Reply>;
  put(path: string, body: unknown): Promise<V1Reply>;
  delete(path: string): Promise<V1Reply>;
}

export function v1Client(url: string): V1Client {
  const call = async (method: string, path: string, body?: unknown): Promise<V1Reply> => {
    const response = await fetch(`${url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    // SAFETY: see V1Reply.
    const parsed = (text === '' ? null : JSON.parse(text)) as never;
    return { status: response.status, body: parsed, headers: response.headers };
  };
  return {
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
    put: (path, body) => call('PUT', path, body),
    delete: (path) => call('DELETE', path),
  };
}

/** The reason of the first detail of an error. */
export function reasonOf(reply: V1Reply): string | undefined {
  const details: readonly { readonly reason: string }[] = reply.body['details'] ?? [];
  return details[0]?.reason;
}
