// What to do about a refusal of `/v1`, by its reason: clients print it beneath the message. A detail that knows better says so itself (the
// nearest name, for instance).

const suggestions: Readonly<Record<string, string>> = {
  'pipeline.instance_not_found': 'GET /v1/pipelines lists the pipelines (millrace pipelines list)',
  'connector.instance_not_found': 'GET /v1/connectors lists the connectors (millrace connectors list)',
  'processor.instance_not_found': 'GET /v1/processors lists the processors (millrace processors list)',
  'connector.plugin_not_found': 'GET /v1/connectors/plugins lists the plugins (millrace connector-plugins list)',
  'processor.plugin_not_found': 'GET /v1/processors/plugins lists the plugins (millrace processor-plugins list)',
  'pipeline.running': 'stop the pipeline first',
  'pipeline.not_running': 'start the pipeline first',
  'pipeline.name_already_exists': 'choose another name, or change the pipeline that has it',
  'orchestrator.pipeline_has_connectors_attached': 'delete its connectors first',
  'orchestrator.pipeline_has_processors_attached': 'delete its processors first',
  'orchestrator.connector_has_processors_attached': 'delete its processors first',
  'orchestrator.immutable_provisioned_by_config': 'change the pipeline file that it comes from',
  'provisioning.plan_stale': 'plan again, and apply the hash of that plan',
  'provisioning.live_apply_unauthorized': 'stop the pipeline first',
};

export function suggestionFor(reason: string): string | undefined {
  return Object.hasOwn(suggestions, reason) ? suggestions[reason] : undefined;
}
