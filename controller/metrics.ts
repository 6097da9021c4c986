/** What /metrics says of the controller. Source: https://prometheus.io/docs/instrumenting/exposition_formats */

export interface Metrics {
  count(name: 'source_states' | 'passes' | 'deploys', labels: Readonly<Record<string, string>>): void;
  text(): string;
}

const HELP: Record<Parameters<Metrics['count']>[0], string> = {
  source_states: 'States of the tracked branch that were told.',
  passes: 'Passes of namespaces that planned.',
  deploys: 'Deploys that ended, by state.',
};

/** Counters since the process started. */
export function createMetrics(): Metrics {
  const counts = new Map<string, Map<string, number>>();
  return {
    count(name, labels) {
      const series = counts.get(name) ?? new Map<string, number>();
      const key = Object.entries(labels)
        .map(([label, value]) => `${label}="${value.replaceAll(/[\\"\n]/g, '_')}"`)
        .join(',');
      series.set(key, (series.get(key) ?? 0) + 1);
      counts.set(name, series);
    },
    text() {
      const blocks = [...counts].map(([name, series]) => {
        const full = `slipway_${name}_total`;
        const rows = [...series].map(([labels, value]) => `${full}{${labels}} ${value}`);
        return [`# HELP ${full} ${HELP[name as keyof typeof HELP]}`, `# TYPE ${full} counter`, ...rows].join('\n');
      });
      return `${blocks.join('\n')}\n`;
    },
  };
}
