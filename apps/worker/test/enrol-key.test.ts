import { createPublicKey, X509Certificate } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { ResourceStack } from '@signfleet/errors';
import { HsmError, openProvisioningToken, type ProvisioningToken } from '@signfleet/hsm';
import { parsePem } from '@signfleet/pki';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { enrolKey, type EnrolmentContext } from '../src/enrol-key.ts';
import { createLogger } from '../src/logging.ts';
import { createMetrics } from '../src/metrics.ts';
import { startTestFleet, type TestFleet } from './support/fleet.ts';

const resources = new ResourceStack();
let fleet: TestFleet;
let token: ProvisioningToken;
let caCertificate: Uint8Array;

beforeAll(async () => {
  fleet = resources.use('fleet', await startTestFleet({ queue: 'postgres' }), (it) => it.close());
  const environment = fleet.environment;
  token = await openProvisioningToken({
    tokenUri: environment['HSM_PROVISIONING_TOKEN_URI']!,
    pinFile: environment['HSM_PROVISIONING_PIN_FILE']!,
    modulePath: environment['HSM_MODULE']!,
    sessions: 2,
  });
  resources.use('token', token, (it) => it.close());
  const pem = readFileSync(environment['CA_CERTIFICATE_FILE']!, 'utf8');
  [caCertificate = new Uint8Array()] = parsePem('CERTIFICATE', pem);
});

afterAll(() => resources.close());

function context(changes: Partial<EnrolmentContext> = {}): EnrolmentContext {
  return {
    database: fleet.database,
    token,
    caCertificate,
    profile: { crlUrls: ['http://pki.example/ca.crl'], policyOids: ['1.3.6.1.4.1.99999.1'] },
    validityDays: 365,
    announce: () => Promise.resolve(),
    workerId: 'test',
    maxAttempts: 3,
    timeoutSeconds: 60,
    log: createLogger({ level: 'fatal', workerId: 'test' }),
    metrics: createMetrics(),
    ...changes,
  };
}

function keyRow(id: string) {
  return fleet.database.prisma.key.findUniqueOrThrow({
    where: { id },
    include: { certificates: true },
  });
}

it('gives a key a certificate that openssl accepts, of the profile that was asked for', async () => {
  const id = await fleet.orderKey('P-384');
  expect(await enrolKey(context(), id)).toEqual({ outcome: 'done' });
  const row = await keyRow(id);
  expect(row).toMatchObject({ state: 'active', errorCode: null });
  expect(row.certificates).toHaveLength(1);
  const certificate = new X509Certificate(row.certificates[0]!.der);
  expect(certificate.verify(new X509Certificate(caCertificate).publicKey)).toBe(true);
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  expect(Buffer.from(row.publicKey!)).toEqual(spki);
  const text = execFileSync('openssl', ['x509', '-noout', '-text'], {
    input: certificate.toString(),
  }).toString();
  expect(text).toMatch(/Key Usage: critical\s+Digital Signature, Non Repudiation/);
  expect(text).toContain('URI:http://pki.example/ca.crl');
  expect(text).toContain('Policy: 1.3.6.1.4.1.99999.1');
  expect(text).toMatch(/Authority Key Identifier/);
  expect(text).toMatch(/CA:FALSE/);
});

it('stores a certification request for an outside CA, signed by the new key', async () => {
  const id = await fleet.orderKey('RSA-2048', 'csr');
  expect(await enrolKey(context(), id)).toEqual({ outcome: 'done' });
  const row = await keyRow(id);
  expect(row).toMatchObject({ state: 'awaiting_certificate', certificates: [] });
  const out = execFileSync(
    'openssl',
    ['req', '-inform', 'DER', '-verify', '-noout', '-pubkey', '-subject'],
    { input: row.csr!, stdio: 'pipe' },
  ).toString();
  expect(out).toContain('Tester RSA-2048');
  const requested = createPublicKey(out.slice(out.indexOf('-----BEGIN')));
  expect(requested.export({ type: 'spki', format: 'der' })).toEqual(Buffer.from(row.publicKey!));
});

it('leaves exactly one key when the job runs twice, at once or after a crash', async () => {
  const id = await fleet.orderKey('P-256');
  await Promise.all([enrolKey(context(), id), enrolKey(context(), id)]);
  const first = await keyRow(id);
  expect(first.certificates).toHaveLength(1);
  await enrolKey(context(), id);
  expect((await keyRow(id)).publicKey).toEqual(first.publicKey);

  const crashed = await fleet.orderKey('P-256');
  const { prisma } = fleet.database;
  const dying: ProvisioningToken = {
    ...token,
    generateWrappedKey: async (...request) => {
      const made = await token.generateWrappedKey(...request);
      // The lease of a worker killed here runs out; the next one takes the row over.
      const leaseExpiresAt = new Date(Date.now() - 1_000);
      await prisma.key.update({ where: { id: crashed }, data: { leaseExpiresAt } });
      await enrolKey(context(), crashed);
      return made;
    },
  };
  await enrolKey(context({ token: dying }), crashed);
  const row = await keyRow(crashed);
  expect(row.state).toBe('active');
  expect(row.certificates).toHaveLength(1);
  expect(await prisma.event.count({ where: { subject: crashed } })).toBe(1);
});

it('waits for an HSM that is away, and fails at once for a name that no certificate can carry', async () => {
  const id = await fleet.orderKey('P-256');
  const away: ProvisioningToken = {
    ...token,
    generateWrappedKey: () => Promise.reject(new HsmError('token_not_present', 'away')),
  };
  expect(await enrolKey(context({ token: away }), id)).toMatchObject({
    outcome: 'retry',
    reason: 'hsm_token_not_present',
  });
  expect(await keyRow(id)).toMatchObject({ state: 'pending', attempts: 1 });
  expect(await enrolKey(context(), id)).toEqual({ outcome: 'done' });
  expect(await keyRow(id)).toMatchObject({ state: 'active', errorCode: null });

  const nameless = await fleet.orderKey('P-256');
  const { userId } = await keyRow(nameless);
  const data = { name: 'x'.repeat(65) };
  await fleet.database.prisma.user.update({ where: { id: userId }, data });
  await enrolKey(context(), nameless);
  expect(await keyRow(nameless)).toMatchObject({ state: 'failed', errorCode: 'subject_invalid' });
});

it('gives a key back when the HSM never answers', async () => {
  const id = await fleet.orderKey('P-256');
  const hanging: ProvisioningToken = {
    ...token,
    generateWrappedKey: () => new Promise(() => undefined),
  };
  expect(await enrolKey(context({ token: hanging, timeoutSeconds: 0.1 }), id)).toMatchObject({
    outcome: 'retry',
    reason: 'worker_timed_out',
  });
  expect(await enrolKey(context(), id)).toEqual({ outcome: 'done' });
  expect(await keyRow(id)).toMatchObject({ state: 'active', attempts: 2 });
});
