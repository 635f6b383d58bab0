import { expect, test } from '@jest/globals';
import { Metrics } from '../../services/reporting/metrics.js';

const SAMPLE = /^([a-z_]+)(?:\{([a-z_]+)="([^"\\\n]*)"\})? (\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

/** What the text format and promtool's lint demand: help and type before samples, counters in _total, nothing twice. */
function faultsOf(text: string): string[] {
  const faults = text.endsWith('\n') ? [] : ['the last line has no end'];
  const types = new Map<string, string>();
  const helped = new Set<string>();
  const seen = new Set<string>();
  for (const line of text.trimEnd().split('\n')) {
    const [, help = ''] = /^# HELP (\S+) \S.*[^.]$/.exec(line) ?? [];
    const [, typed = '', type = ''] = /^# TYPE (\S+) (counter|gauge)$/.exec(line) ?? [];
    const [, name = '', label = '', value = ''] = SAMPLE.exec(line) ?? [];
    if (help !== '') helped.add(help);
    else if (typed !== '') types.set(typed, helped.has(typed) && !types.has(typed) ? type : 'twice');
    else if (!types.has(name)) faults.push(`no type: ${line}`);
    if (name !== '' && seen.has(`${name}{${label}=${value}}`)) faults.push(`twice: ${line}`);
    seen.add(`${name}{${label}=${value}}`);
  }
  for (const [name, type] of types)
    if (type === 'twice' || (type === 'counter') !== name.endsWith('_total')) faults.push(`${name}: ${type}`);
  return faults;
}

test('the metrics are as Prometheus wants them, before anything happened and after', () => {
  const metrics = new Metrics();
  expect(faultsOf(metrics.text('idle', 1e9))).toEqual([]);
  metrics.countOutcome('success');
  metrics.countOutcome('success');
  metrics.countOutcome('MD5_MISMATCH');
  metrics.countTime('downloading', 1500);
  metrics.countTime('downloading', 250);
  metrics.countTime('verifying', 1);
  expect(faultsOf(metrics.text('failed', 1e9))).toEqual([]);
  expect(metrics.text('failed', 1e9).split('\n')).toEqual(
    expect.arrayContaining([
      'tope_updates_total{outcome="success"} 2',
      'tope_updates_total{outcome="MD5_MISMATCH"} 1',
      'tope_state_seconds_total{state="downloading"} 1.75',
      'tope_state{state="failed"} 1',
      'tope_free_bytes 1000000000',
    ]),
  );
});

test('bytes and requests are counted once, over orders that begin anew', () => {
  const metrics = new Metrics({ bytes: 100, total: 2 });
  metrics.countFetched({ bytes: 100, total: 2 });
  metrics.countFetched({ bytes: 160, total: 3 });
  metrics.countFetched({ bytes: 0, total: 0 });
  metrics.countFetched({ bytes: 7, total: 1 });
  expect(metrics.text('idle', 1).split('\n')).toEqual(
    expect.arrayContaining(['tope_fetched_bytes_total 67', 'tope_requests_total 2', 'tope_retries_total 1']),
  );
});
