// Every route of `/v1` and of what belongs to it.
import type { Hosting } from '../hosting/hosting.ts';
import type { Route } from '../http/route.ts';
import { aboutRoutes } from './about-routes.ts';
import { connectorRoutes } from './connector-routes.ts';
import { deadLetterRoutes } from './dead-letter-routes.ts';
import { deletionRoutes } from './deletion-routes.ts';
import { documentRoutes } from './document-routes.ts';
import { pipelineRoutes } from './pipeline-routes.ts';
import { pluginRoutes } from './plugin-routes.ts';
import { processorRoutes } from './processor-routes.ts';

export function makeV1Routes(hosting: Hosting): readonly Route[] {
  return [
    ...pipelineRoutes(hosting),
    ...deadLetterRoutes(hosting),
    ...documentRoutes(hosting),
    ...deletionRoutes(hosting),
    ...connectorRoutes(hosting),
    ...processorRoutes(hosting),
    ...pluginRoutes(hosting),
    ...aboutRoutes(hosting),
  ];
}
