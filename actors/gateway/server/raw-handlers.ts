// Which handler moves the data of which stream route. Built once for a server: handlers keep what listeners share.
import { makeQueryHandler } from '../adhoc/query-handler.ts';
import { acceptQuerySocket } from '../adhoc/query-socket.ts';
import { makeEgressHandler } from '../egress/egress-handler.ts';
import { acceptEgressSocket } from '../egress/egress-socket.ts';
import { makeIngressHandler } from '../ingress/ingress-handler.ts';
import type { RawRoute } from './raw-routes.ts';

export function rawRoutes(): readonly RawRoute[] {
  return [
    { verb: 'ingress', methods: ['POST'], access: 'ingest', handle: makeIngressHandler(), accept: null },
    {
      verb: 'egress',
      methods: ['GET', 'POST'],
      access: 'read',
      handle: makeEgressHandler(),
      accept: (socket, exchange) => acceptEgressSocket(socket, exchange),
    },
    {
      verb: 'query',
      methods: ['GET'],
      access: 'read',
      handle: makeQueryHandler(),
      accept: (socket, exchange) => acceptQuerySocket(socket, exchange),
    },
  ];
}
