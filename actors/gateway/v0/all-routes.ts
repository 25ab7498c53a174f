// Every route of the JSON interface in one list.
import type { Hosting } from '../server/hosting-start.ts';
import type { Route } from '../server/route.ts';
import { definitionRoutes } from './definition-routes.ts';
import { lifecycleRoutes } from './lifecycle-routes.ts';
import { platformRoutes } from './platform-routes.ts';

export function makeRoutes(hosting: Hosting): readonly Route[] {
  return [...platformRoutes(hosting), ...definitionRoutes(hosting), ...lifecycleRoutes(hosting)];
}
