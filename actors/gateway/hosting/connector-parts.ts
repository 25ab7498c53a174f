// What the connectors of one deployment are run with, beside their settings.
import type { OpenRequest } from '../embedded/control-interface.ts';

export interface ConnectorParts {
  readonly request: Pick<
    OpenRequest,
    'plugins' | 'processorFiles' | 'deadLetterFolder' | 'journal' | 'schemas' | 'connectorModules'
  >;
  /** The deployment is over. */
  release(): void;
}
