// Which plugins there are, and what parameters they have.

import type { Hosting } from '../hosting/hosting.ts';
import {
  fullName,
  type PluginParameter,
  type PluginParameters,
  type PluginSpecification,
  type PluginValidation,
} from '../hosting/plugin-specification.ts';
import { byName, list, object, oneOf, type Shaped, text } from '../http/reply-shape.ts';
import type { Route } from '../http/route.ts';
import { nameFilter } from './v1-catalog.ts';
import { v1Route } from './v1-route.ts';

const parameterShape = object({
  description: text,
  default: text,
  type: text,
  validations: list(
    object({
      type: oneOf(
        'TYPE_REQUIRED',
        'TYPE_GREATER_THAN',
        'TYPE_LESS_THAN',
        'TYPE_INCLUSION',
        'TYPE_EXCLUSION',
        'TYPE_REGEX',
      ),
      value: text,
    }),
  ),
});
const parametersShape = byName(parameterShape);
const aboutKeys = { name: text, summary: text, description: text, version: text, author: text } as const;
const connectorShape = object({ ...aboutKeys, destinationParams: parametersShape, sourceParams: parametersShape });
const processorShape = object({ ...aboutKeys, parameters: parametersShape });

const query = { name: 'a regular expression for the whole name, such as builtin:.*' };
const options = { query, problems: [400], isFiltered: true };

export function pluginRoutes(hosting: Hosting): readonly Route[] {
  const connectors = ({
    query: asked,
  }: {
    readonly query: URLSearchParams;
  }): readonly Shaped<typeof connectorShape>[] => {
    const isWanted = nameFilter(asked);
    return hosting.plugins
      .list()
      .filter((plugin) => isWanted(fullName(plugin)))
      .map(connectorPluginJson);
  };
  return [
    v1Route(
      hosting,
      'GET',
      '/v1/connectors/plugins',
      'The connector plugins that there are',
      list(connectorShape),
      connectors,
      options,
    ),
    v1Route(
      hosting,
      'GET',
      '/v1/plugins',
      'Deprecated: the connector plugins that there are',
      list(connectorShape),
      connectors,
      options,
    ),
    v1Route(
      hosting,
      'GET',
      '/v1/processors/plugins',
      'The processor plugins that there are',
      list(processorShape),
      ({ query: asked }) => {
        const isWanted = nameFilter(asked);
        return hosting.plugins
          .processors()
          .map((processor) => ({
            name: fullName(processor),
            summary: processor.summary,
            description: processor.description,
            version: processor.version,
            author: processor.author,
            parameters: parametersJson(processor.parameters),
          }))
          .filter(({ name }) => isWanted(name));
      },
      options,
    ),
  ];
}

function connectorPluginJson(plugin: PluginSpecification): Shaped<typeof connectorShape> {
  return {
    name: fullName(plugin),
    summary: plugin.summary,
    description: plugin.description,
    version: plugin.version,
    author: plugin.author,
    destinationParams: parametersJson(plugin.destinationParameters ?? {}),
    sourceParams: parametersJson(plugin.sourceParameters ?? {}),
  };
}

function parametersJson(parameters: PluginParameters): Shaped<typeof parametersShape> {
  return Object.fromEntries(Object.entries(parameters).map(([name, parameter]) => [name, parameterJson(parameter)]));
}

function parameterJson({
  description,
  default: fallback,
  type,
  validations,
}: PluginParameter): Shaped<typeof parameterShape> {
  return {
    description,
    default: fallback,
    type: `TYPE_${type.toUpperCase()}`,
    validations: validations.map(({ type: rule, value }) => ({ type: ruleNames[rule], value })),
  };
}

const ruleNames = {
  required: 'TYPE_REQUIRED',
  'greater-than': 'TYPE_GREATER_THAN',
  'less-than': 'TYPE_LESS_THAN',
  inclusion: 'TYPE_INCLUSION',
  exclusion: 'TYPE_EXCLUSION',
  regex: 'TYPE_REGEX',
} as const satisfies Readonly<Record<PluginValidation['type'], string>>;
