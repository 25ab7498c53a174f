// `bootstrap.servers`: the brokers to begin with. Pure.
//
//   host:port, [::1]:port, host (port 9092), PROTOCOL://host:port; separated by commas, a comma at the end counts for nothing

export interface BootstrapServer {
  readonly host: string;
  readonly port: number;
}

export interface BootstrapServers {
  readonly servers: readonly BootstrapServer[];
  /** What is wrong with the text, behind its name; null: nothing. */
  readonly problem: string | null;
}

const portDefault = 9092;

export function bootstrapServers(text: string): BootstrapServers {
  const servers: BootstrapServer[] = [];
  for (const item of text.split(',')) {
    if (item.trim() === '') continue;
    const [, host, port = String(portDefault)] =
      /^\s*(?:[A-Z_]+:\/\/)?(\[[0-9a-fA-F:.]+\]|[^:\s[\]/]+)(?::(\d{1,5}))?\s*$/.exec(item) ?? [];
    if (host === undefined) return { servers: [], problem: `holds "${item.trim()}", which is not host:port` };
    if (Number(port) < 1 || Number(port) > 65_535) return { servers: [], problem: `has the port ${port}` };
    servers.push({ host: host.replace(/^\[|\]$/g, ''), port: Number(port) });
  }
  return servers.length === 0 ? { servers, problem: 'names no broker' } : { servers, problem: null };
}
