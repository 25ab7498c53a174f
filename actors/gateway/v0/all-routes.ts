// Every route of the JSON interface in one list.

import type { Hosting } from '../server/hosting-start.ts';
import { openApiRoute } from '../server/open-api.ts';
import type { Route } from '../server/route.ts';
import { makeV1Routes } from '../v1/v1-routes.ts';
import { apiKeyRoutes } from './api-key-routes.ts';
import { clockRoutes } from './clock-routes.ts';
import { connectorRoutes } from './connector-routes.ts';
import { definitionRoutes } from './definition-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { lifecycleRoutes } from './lifecycle-routes.ts';
import { logRoutes } from './log-routes.ts';
import { platformRoutes } from './platform-routes.ts';
import { profileRoutes } from './profile-routes.ts';
import { programRoutes } from './program-routes.ts';
import { progressRoutes } from './progress-routes.ts';
import { singleTenantRoutes } from './single-tenant-routes.ts';
import { statsRoutes } from './stats-routes.ts';
import { supportRoutes } from './support-routes.ts';

export function makeRoutes(hosting: Hosting): readonly Route[] {
  const routes = [
    ...platformRoutes(hosting),
    ...definitionRoutes(hosting),
    ...lifecycleRoutes(hosting),
    ...programRoutes(hosting),
    ...connectorRoutes(hosting),
    ...statsRoutes(hosting),
    ...clockRoutes(hosting),
    ...logRoutes(hosting),
    ...eventRoutes(hosting),
    ...progressRoutes(hosting),
    ...supportRoutes(hosting),
    ...profileRoutes(hosting),
    ...singleTenantRoutes(hosting),
    ...apiKeyRoutes(hosting.access),
    ...makeV1Routes(hosting),
  ];
  return [...routes, openApiRoute(routes)];
}
