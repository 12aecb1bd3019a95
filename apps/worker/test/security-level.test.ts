import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { createLogger } from '../src/logging.ts';
import { createMetrics } from '../src/metrics.ts';
import { announceSecurityLevel } from '../src/security-level.ts';

async function announce(securityLevel: 'locked' | 'unlocked') {
  let text = '';
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  const metrics = createMetrics();
  const facts = {
    label: 'signing',
    manufacturer: 'any',
    model: 'any',
    vendorProfile: 'generic',
    securityLevel,
    keyEncryptionKeyIds: [],
  };
  announceSecurityLevel(facts, {
    log: createLogger({ level: 'info', workerId: 'w' }, stream),
    metrics,
  });
  const line = JSON.parse(text) as { level: string; msg: string };
  return { line, metrics: await metrics.registry.metrics() };
}

it('says loudly that the HSM does not enforce the template', async () => {
  const { line, metrics } = await announce('unlocked');
  expect(line.level).toBe('error');
  expect(line.msg).toMatch(/^SECURITY: /);
  expect(metrics).toContain('signfleet_hsm_security_level{level="unlocked"} 1');
});

it('records a locked key-encryption key in passing', async () => {
  const { line, metrics } = await announce('locked');
  expect(line.level).toBe('info');
  expect(metrics).toContain('signfleet_hsm_security_level{level="locked"} 1');
});
