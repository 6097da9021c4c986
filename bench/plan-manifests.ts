/** A large namespace as people would write it: a folder of TOML files. Pure. */
import type { ManifestFile } from '../controller/manifest/read.ts';

const SERVICES_A_FILE = 100;
/** So many services follow one that they depend on. */
const GROUP = 10;

/** `count` services of one version. */
export function manifestFiles(count: number, version: string): ManifestFile[] {
  const names = Array.from({ length: count }, (_, index) => `service-${String(index).padStart(5, '0')}`);
  const fileCount = Math.ceil(count / SERVICES_A_FILE);
  return Array.from({ length: fileCount }, (_, file) => {
    const from = file * SERVICES_A_FILE;
    const text = names.slice(from, from + SERVICES_A_FILE).map((name, index) => {
      const leader = names[from + index - (index % GROUP)] ?? name;
      return serviceText(name, version, leader === name ? null : leader);
    });
    return {
      path: `namespaces/production/part-${String(file).padStart(3, '0')}.toml`,
      bytes: Buffer.from(text.join('\n')),
    };
  });
}

function serviceText(name: string, version: string, dependsOn: string | null): string {
  return `[[services]]
name = "${name}"
placement = { replicated = { count = 1 } }
service_ports = [{ name = "http", container_port = 8080 }]
routes = [{ http = { service_port = "http", hostnames = ["${name}.example.com"], path_prefix = "/" } }]
readiness = { http = { service_port = "http", path = "/healthz" } }
${dependsOn === null ? '' : `depends_on = { ${dependsOn} = "ready" }\n`}
[services.template]
image = "registry.example/acme/shop:1"
stop_grace_period = "5s"
resources = { cpu = "500m", memory = "64Mi" }
env = { VERSION = "${version}", LOG_LEVEL = "info", DATABASE_URL = "postgres://db/${name}" }
`;
}
