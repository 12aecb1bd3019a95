import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Signing } from '@signfleet/db';
import { ResourceStack } from '@signfleet/errors';
import { verifyDocument } from '@signfleet/pdf';
import { keyAlgorithms, parseCertificate } from '@signfleet/pki';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';
import { createLogger } from '../src/logging.ts';
import { startWorker, type RunningWorker } from '../src/worker.ts';
import { startTestFleet, type TestFleet } from './support/fleet.ts';
import { RESULT_BUCKET, SOURCE_BUCKET } from './support/submitting.ts';
import { keyEnrolled } from './support/key-enrolled.ts';
import { samplePdf } from './support/sample-pdf.ts';
import { validate } from './support/validators.ts';

const resources = new ResourceStack();
let fleet: TestFleet;
let worker: RunningWorker;
const keys = new Map<string, string>();

beforeAll(async () => {
  fleet = resources.use('fleet', await startTestFleet({ queue: 'postgres' }), (it) => it.close());
  const config = readConfig({ ...fleet.environment, WORKER_ROLES: 'sign,enrol,reconcile' });
  worker = await startWorker(config, createLogger({ level: config.LOG_LEVEL, workerId: 'test' }));
  resources.use('worker', worker, (it) => it.close());
  await worker.started;
  for (const algorithm of ['RSA-2048', 'P-256', 'P-384'] as const) {
    keys.set(algorithm, await fleet.orderKey(algorithm));
  }
  keys.set('other P-256', await fleet.orderKey('P-256'));
  await Promise.all([...keys.values()].map((id) => keyEnrolled(fleet, id)));
});

afterAll(() => resources.close());

function key(name: string): string {
  const id = keys.get(name);
  if (id === undefined) throw new Error(`no key ${name}`);
  return id;
}

async function sign(
  name: string,
  item: { source: string; bytes?: Uint8Array; sha256?: string; versionId?: string },
): Promise<Signing> {
  const { bytes, ...rest } = item;
  if (bytes !== undefined) await fleet.putSource(item.source, bytes);
  return fleet.finished(await fleet.submit({ keyId: key(name), ...rest }));
}

async function expectNothingPublished(destination: string): Promise<void> {
  await expect(fleet.store.head({ bucket: RESULT_BUCKET, key: destination })).rejects.toMatchObject(
    { code: 'not_found' },
  );
}

describe('a document signed', () => {
  it.each(['RSA-2048', 'P-256', 'P-384'] as const)(
    'with %s is accepted by pdfsig, openssl and our verifier',
    async (algorithm) => {
      const source = samplePdf(algorithm);
      const row = await sign(algorithm, { source: `ok-${algorithm}.pdf`, bytes: source });
      expect(row).toMatchObject({ state: 'completed', level: 'B-B', errorCode: null, attempts: 1 });
      const signed = await fleet.result(row);
      expect(Buffer.from(signed.subarray(0, source.length))).toEqual(source);
      expect(row.resultSha256).toBe(createHash('sha256').update(signed).digest('hex'));
      expect(row.resultSize).toBe(BigInt(signed.length));
      const verdict = await validate(signed, fleet.environment['CA_CERTIFICATE_FILE']!);
      expect(verdict.pdfsig).toContain('Signature is Valid.');
      expect(verdict.pdfsig).toContain('Total document signed');
      expect(verdict.openssl).toContain('Verification successful');
      const [report] = verifyDocument(signed);
      expect(report).toMatchObject({ valid: true, coversWholeFile: true, level: 'B-B', algorithm });
    },
  );

  it('keeps an earlier signature valid', async () => {
    const first = await sign('RSA-2048', { source: 'twice-1.pdf', bytes: samplePdf('twice') });
    await fleet.putSource('twice-2.pdf', await fleet.result(first));
    const second = await sign('P-256', { source: 'twice-2.pdf' });
    const reports = verifyDocument(await fleet.result(second));
    expect(reports.map(({ intact, valid }) => ({ intact, valid }))).toEqual([
      { intact: true, valid: true },
      { intact: true, valid: true },
    ]);
  });

  it('tells where its time went, by stage', async () => {
    const row = await sign('P-256', { source: 'stages.pdf', bytes: samplePdf('stages') });
    expect(Object.keys(row.stageMillis as object)).toEqual(
      expect.arrayContaining(['load', 'prepare', 'hsmWait', 'hsm', 'seal', 'verify', 'store']),
    );
    const metrics = await (await fetch(`http://127.0.0.1:${worker.healthPort}/metrics`)).text();
    expect(metrics).toMatch(/signfleet_signings_total\{outcome="completed",code="ok"\} [1-9]/);
    expect(metrics).toMatch(/signfleet_signing_stage_seconds_count\{stage="complete"\} [1-9]/);
    expect(metrics).toMatch(/signfleet_queue_jobs\{kind="sign-document",state="waiting"\} \d/);
    expect(metrics).toContain('signfleet_hsm_security_level{level="locked"} 1');
  });

  it('names its signer by a certificate of the configured profile', async () => {
    const row = await fleet.database.prisma.key.findUniqueOrThrow({
      where: { id: key('P-384') },
      include: { activeCertificate: true },
    });
    const der = row.activeCertificate!.der;
    expect(parseCertificate(der)).toMatchObject({
      isCa: false,
      keyUsage: ['digitalSignature', 'nonRepudiation'],
      commonName: 'Tester P-384',
    });
    expect(Buffer.from(der).toString('latin1')).toContain('http://pki.example/ca.crl');
    expect(keyAlgorithms).toContain(row.algorithm);
  });
});

describe('a source that cannot be signed', () => {
  it.each([
    ['not_a_pdf', Buffer.from('hello, I am text')],
    ['not_a_pdf', Buffer.alloc(0)],
    ['damaged', samplePdf('cut').subarray(0, 60)],
  ])('fails as %s and publishes nothing', async (code, bytes) => {
    const source = `bad-${code}-${bytes.length}.pdf`;
    const row = await sign('P-256', { source, bytes });
    expect(row).toMatchObject({ state: 'failed', errorCode: code, attempts: 1 });
    await expectNothingPublished(source);
  });

  it('fails as encrypted', async () => {
    const encrypted = samplePdf('secret')
      .toString('latin1')
      .replace('/Root 1 0 R', '/Root 1 0 R /Encrypt << /Filter /Standard /V 1 /R 2 >>');
    const row = await sign('P-256', {
      source: 'encrypted.pdf',
      bytes: Buffer.from(encrypted, 'latin1'),
    });
    expect(row).toMatchObject({ state: 'failed', errorCode: 'encrypted' });
    await expectNothingPublished('encrypted.pdf');
  });

  it('fails as source_not_found', async () => {
    const row = await sign('P-256', { source: 'missing.pdf' });
    expect(row).toMatchObject({ state: 'failed', errorCode: 'source_not_found' });
  });

  it('fails as source_changed when the pinned SHA-256 or version no longer holds', async () => {
    const bytes = samplePdf('pinned');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(await sign('P-256', { source: 'pin-1.pdf', bytes, sha256 })).toMatchObject({
      state: 'completed',
    });
    await fleet.putSource('pin-2.pdf', samplePdf('another'));
    const changed = await sign('P-256', { source: 'pin-2.pdf', sha256 });
    expect(changed).toMatchObject({ state: 'failed', errorCode: 'source_changed' });
    await expectNothingPublished('pin-2.pdf');
    await fleet.putSource('pin-3.pdf', bytes);
    const gone = await sign('P-256', { source: 'pin-3.pdf', versionId: 'no-such-version' });
    expect(gone).toMatchObject({ state: 'failed', errorCode: 'source_changed' });
  });

  it('reads the pinned version, whatever has been written since', async () => {
    const bytes = samplePdf('first version');
    const { versionId } = await fleet.store.put({
      bucket: SOURCE_BUCKET,
      key: 'versions.pdf',
      body: bytes,
      contentType: 'application/pdf',
      metadata: {},
    });
    await fleet.putSource('versions.pdf', Buffer.from('overwritten'));
    const row = await sign('P-256', { source: 'versions.pdf', versionId: versionId! });
    expect(row.state).toBe('completed');
    expect(Buffer.from(await fleet.result(row)).subarray(0, bytes.length)).toEqual(bytes);
  });

  it('leaves an object that is at the destination as it is', async () => {
    const { etag } = await fleet.store.put({
      bucket: RESULT_BUCKET,
      key: 'taken.pdf',
      body: Buffer.from('mine'),
      contentType: 'text/plain',
      metadata: {},
    });
    const row = await sign('P-256', { source: 'taken.pdf', bytes: samplePdf('taken') });
    expect(row).toMatchObject({ state: 'failed', errorCode: 'destination_exists' });
    expect((await fleet.store.head({ bucket: RESULT_BUCKET, key: 'taken.pdf' })).etag).toBe(etag);
  });
});

describe('a key record changed in the database', () => {
  async function attempt(
    change: (own: Buffer, other: { wrappedKey: Buffer; publicKey: Buffer }) => object,
    source: string,
  ): Promise<Signing> {
    const { prisma } = fleet.database;
    const select = { wrappedKey: true, publicKey: true } as const;
    const id = key('P-256');
    const [own, other] = await Promise.all(
      [id, key('other P-256')].map((it) =>
        prisma.key.findUniqueOrThrow({ where: { id: it }, select }),
      ),
    );
    const asBuffers = {
      wrappedKey: Buffer.from(other!.wrappedKey!),
      publicKey: Buffer.from(other!.publicKey!),
    };
    await prisma.key.update({
      where: { id },
      data: change(Buffer.from(own!.wrappedKey!), asBuffers),
    });
    try {
      return await sign('P-256', { source, bytes: samplePdf(source) });
    } finally {
      await prisma.key.update({ where: { id }, data: own! });
    }
  }

  it.each([
    [
      "another user's wrapped key",
      'wrapped_key_mismatch',
      (_own: Buffer, other: { wrappedKey: Buffer }) => ({ wrappedKey: other.wrappedKey }),
    ],
    [
      'one bit of the wrapped key flipped',
      'wrapped_key_damaged',
      (own: Buffer) => {
        own.writeUInt8(own.readUInt8(own.length - 9) ^ 1, own.length - 9);
        return { wrappedKey: own };
      },
    ],
    [
      "another user's public key",
      'public_key_mismatch',
      (_own: Buffer, other: { publicKey: Buffer }) => ({ publicKey: other.publicKey }),
    ],
  ])('%s: refused as %s, nothing published', async (name, code, change) => {
    const source = `tampered-${code}.pdf`;
    const row = await attempt(change, source);
    expect(row, name).toMatchObject({ state: 'failed', errorCode: code, attempts: 1 });
    await expectNothingPublished(source);
    expect((await sign('P-256', { source: `after-${source}`, bytes: samplePdf(name) })).state).toBe(
      'completed',
    );
  });

  it('a revoked key signs no more', async () => {
    const { prisma } = fleet.database;
    const id = key('other P-256');
    await prisma.key.update({ where: { id }, data: { state: 'active' } });
    await fleet.putSource('revoked.pdf', samplePdf('revoked'));
    const row = await fleet.submitThen({ keyId: id, source: 'revoked.pdf' }, () =>
      prisma.key.update({ where: { id }, data: { state: 'revoked', revokedAt: new Date() } }),
    );
    expect(row).toMatchObject({ state: 'failed', errorCode: 'key_not_active' });
    await expectNothingPublished('revoked.pdf');
  });
});

it('every error message on a row is a sentence without a path, URL or secret', async () => {
  const rows = await fleet.database.prisma.signing.findMany({ where: { state: 'failed' } });
  expect(rows.length).toBeGreaterThan(5);
  const pin = (await readFile(fleet.environment['HSM_SIGNING_PIN_FILE']!, 'utf8')).trim();
  for (const { errorMessage } of rows) {
    expect(errorMessage).toMatch(/^[A-Z][^/]*\.$/);
    expect(errorMessage).not.toContain(pin);
  }
});
