// Requests as the client library signs them, without their being sent: for bodies that are read without the library.
//
// The library makes and signs a request, and hands it to what would send it: here that is somebody who keeps it and sends nothing. So
// credentials, regions and addresses are the library's matter alone.
import type { BodyRequest } from '../sdk/http-bodies.ts';

/** What is asked of the library's request; its types are in a package of its own. */
interface LibraryRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
}

class Signed extends Error {
  readonly request: BodyRequest;
  constructor(request: BodyRequest) {
    super('signed');
    this.request = request;
  }
}

/** A request handler of the library: see `signedRequest`. */
export const keepingHandler: {
  handle(request: unknown): Promise<never>;
  destroy(): void;
} = {
  handle: async (request) => {
    // SAFETY: the library calls this with its own request, of which these members are documented.
    throw new Signed(bodyRequest(request as LibraryRequest));
  },
  destroy: () => {},
};

/** What `send`, by a client with that handler, would have sent. @throws what the library throws instead */
export async function signedRequest(send: () => Promise<unknown>): Promise<BodyRequest> {
  try {
    await send();
  } catch (thrown) {
    if (thrown instanceof Signed) return thrown.request;
    throw thrown;
  }
  throw new Error('a request that is only signed has been answered');
}

function bodyRequest({ protocol, hostname, port, path, query, headers }: LibraryRequest): BodyRequest {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) => {
    if (value === null) return [escaped(name)];
    const values = typeof value === 'string' ? [value] : value;
    return values.map((one) => `${escaped(name)}=${escaped(one)}`);
  });
  const origin = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
  return { url: new URL(origin), path: pairs.length === 0 ? path : `${path}?${pairs.join('&')}`, headers };
}

/** As it was signed. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
