// Where a request claims to come from and to go to: what tells a caller on this machine from a web page that uses his browser.
import type { IncomingHttpHeaders } from 'node:http';

/** A name or address that only this machine can reach. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare);
}

/** Addressed to this machine by its own name (a foreign name may have been made to point here), and not by a foreign page. */
export function isTrustedOrigin(headers: IncomingHttpHeaders, corsOrigins: readonly string[]): boolean {
  const { host, origin } = headers;
  if (host !== undefined && !isLoopbackHost(hostname(`http://${host}`))) return false;
  if (origin === undefined || corsOrigins.includes('*') || corsOrigins.includes(origin)) return true;
  return isLoopbackHost(hostname(origin));
}

function hostname(url: string): string {
  try {
    return new URL(url).hostname;
  } catch {
    return '';
  }
}
