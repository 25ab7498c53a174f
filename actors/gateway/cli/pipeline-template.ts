// A new pipeline file: one source, one destination, every setting of theirs with its default and what it means. Pure.
import type { ConnectorRegistry } from '../../../connectors/sdk/connector.ts';
import {
  builtInPlugins,
  findPlugin,
  type PluginParameter,
  type PluginParameters,
} from '../hosting/plugin-specification.ts';

export interface TemplateOptions {
  readonly id: string;
  /** References to plugins. */
  readonly source: string;
  readonly destination: string;
  readonly registry: ConnectorRegistry;
}

export function pipelineTemplate({ id, source, destination, registry }: TemplateOptions): string {
  const plugins = builtInPlugins(registry, '0.0.0');
  return [
    'version: "2.2"',
    'pipelines:',
    `  - id: ${id}`,
    '    status: running',
    '    description: ""',
    '    connectors:',
    ...connector('source', source, findPlugin(plugins, source)?.sourceParameters),
    ...connector('destination', destination, findPlugin(plugins, destination)?.destinationParameters),
    '',
  ].join('\n');
}

function connector(type: string, plugin: string, parameters: PluginParameters | null | undefined): string[] {
  const head = [`      - id: ${type}`, `        type: ${type}`, `        plugin: ${plugin}`];
  if (parameters === null || parameters === undefined) return [...head, '        settings: {}'];
  const entries = Object.entries(parameters).filter(([name]) => !name.includes('*'));
  if (entries.length === 0) return head;
  const needed = entries.filter(([, parameter]) => isRequired(parameter));
  const optional = entries.filter(([, parameter]) => !isRequired(parameter));
  return [
    ...head,
    '        settings:',
    ...needed.flatMap(([name, parameter]) => [
      `          # ${summary(parameter)}`,
      `          ${name}: ${JSON.stringify(parameter.default)}`,
    ]),
    ...optional.flatMap(([name, parameter]) => [
      `          # ${summary(parameter)}`,
      `          # ${name}: ${JSON.stringify(parameter.default)}`,
    ]),
  ];
}

function isRequired({ validations }: PluginParameter): boolean {
  return validations.some(({ type }) => type === 'required');
}

function summary({ description, type }: PluginParameter): string {
  return `${description.split('\n')[0] ?? ''} (${type})`;
}
