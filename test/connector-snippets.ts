// What the page of a connector begins with: the shortest configuration that does something, as it stands in a pipeline file, and
// where a whole example is. Printed by docs-pages.ts; docs.test.ts validates each against the parameters of its connector.
export interface ConnectorSnippet {
  /** YAML: `inputs` or `outputs` of a pipeline file. */
  readonly yaml: string;
  /** The folder in examples/. */
  readonly example: string;
}

export const connectorSnippets: Readonly<Record<string, ConnectorSnippet>> = {
  s3_input: {
    yaml: `inputs:
  orders:
    stream: orders                       # the table
    transport: { name: s3_input, config: { bucket_name: shop, region: eu-central-1, prefix: orders/ } }
    format: { name: json, config: { update_format: raw } }`,
    example: 's3',
  },
  s3_output: {
    yaml: `outputs:
  totals:
    stream: totals                       # the view
    transport: { name: s3_output, config: { bucket_name: shop, region: eu-central-1, prefix: totals/, suffix: .json } }
    format: { name: json }`,
    example: 'url',
  },
  kafka_input: {
    yaml: `inputs:
  events:
    stream: events                       # the table
    transport: { name: kafka_input, config: { bootstrap.servers: "localhost:9092", topic: events, start_from: earliest } }
    format: { name: json, config: { update_format: raw } }`,
    example: 'kafka',
  },
  kafka_output: {
    yaml: `outputs:
  totals:
    stream: totals                       # the view
    transport: { name: kafka_output, config: { bootstrap.servers: "localhost:9092", topic: totals } }
    format: { name: json }`,
    example: 'kafka',
  },
  postgres_input: {
    yaml: `inputs:
  prices:
    stream: prices                       # the table; its columns have the names of those of the query
    transport: { name: postgres_input, config: { uri: "postgres://ann:secret@localhost:5432/shop", query: "SELECT id, price FROM prices" } }`,
    example: 'postgres',
  },
  postgres_cdc_input: {
    yaml: `inputs:
  orders:
    stream: orders                       # the table, with the primary key of that of PostgreSQL
    transport: { name: postgres_cdc_input, config: { uri: "postgres://ann:secret@localhost:5432/shop", source_table: public.orders } }`,
    example: 'postgres',
  },
  postgres_output: {
    yaml: `outputs:
  spent:
    stream: spent                        # the view; the table in PostgreSQL exists and has its columns
    transport: { name: postgres_output, config: { uri: "postgres://ann:secret@localhost:5432/shop", table: spent } }`,
    example: 'postgres',
  },
  url_input: {
    yaml: `inputs:
  visits:
    stream: visits                       # the table
    transport: { name: url_input, config: { path: "https://example.com/visits.csv" } }
    format: { name: csv, config: { headers: true } }`,
    example: 'url',
  },
};
