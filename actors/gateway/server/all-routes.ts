// Every route of the JSON interface in one list.

import type { Hosting } from '../hosting/hosting.ts';
import type { Route } from '../http/route.ts';
import { apiKeyRoutes } from '../v0/api-key-routes.ts';
import { clockRoutes } from '../v0/clock-routes.ts';
import { connectorRoutes } from '../v0/connector-routes.ts';
import { definitionRoutes } from '../v0/definition-routes.ts';
import { eventRoutes } from '../v0/event-routes.ts';
import { lifecycleRoutes } from '../v0/lifecycle-routes.ts';
import { logRoutes } from '../v0/log-routes.ts';
import { platformRoutes } from '../v0/platform-routes.ts';
import { profileRoutes } from '../v0/profile-routes.ts';
import { programRoutes } from '../v0/program-routes.ts';
import { progressRoutes } from '../v0/progress-routes.ts';
import { singleTenantRoutes } from '../v0/single-tenant-routes.ts';
import { statsRoutes } from '../v0/stats-routes.ts';
import { supportRoutes } from '../v0/support-routes.ts';
import { makeV1Routes } from '../v1/v1-routes.ts';
import { frontPageRoute } from './front-page.ts';
import { openApiRoute } from './open-api.ts';

export function makeRoutes(hosting: Hosting): readonly Route[] {
  const routes = [
    frontPageRoute,
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
