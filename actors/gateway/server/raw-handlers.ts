// Which handler moves the data of which stream route. Built once for a server: handlers keep what listeners share.
import type { RawRoute } from './raw-routes.ts';

export function rawRoutes(): readonly RawRoute[] {
  return [];
}
