import {
  claimKeyEnrolment,
  completeKeyEnrolment,
  createApiKey,
  createGrant,
  createKey,
  createSigning,
  createUser,
  createWebhookEndpoint,
  newId,
  type Database,
  type Signing,
  type SigningRequest,
  type SigningResult,
} from '../src/index.ts';

/** A tenant with a caller, a user and the user's active key. */
export interface Tenant {
  readonly tenantId: string;
  readonly apiKeyId: string;
  readonly token: string;
  readonly userId: string;
  readonly keyId: string;
}

export const actor = 'operator:test';

export async function addUser(db: Database, tenantId: string, name = 'Ada'): Promise<string> {
  const { resource } = await createUser(db, { tenantId, actor, user: { name } });
  return resource.id;
}

/** Enrols a key as a worker would, with bytes that stand for the HSM's output. */
export async function addActiveKey(
  db: Database,
  tenantId: string,
  userId: string,
): Promise<string> {
  const { resource } = await createKey(db, {
    tenantId,
    actor,
    userId,
    algorithm: 'P-256',
    certificateMode: 'builtin',
  });
  const claimed = await claimKeyEnrolment(db, {
    id: resource.id,
    workerId: 'w1',
    leaseSeconds: 30,
  });
  if ('refused' in claimed) throw new Error(claimed.refused);
  await completeKeyEnrolment(db, {
    id: resource.id,
    fencingToken: claimed.fencingToken,
    record: keyRecord,
    certificate: { ...certificate, serialNumber: resource.id },
  });
  return resource.id;
}

export const keyRecord = {
  publicKey: Buffer.from('public key'),
  keyEncryptionKeyId: 'kek-1',
  wrappedKey: Buffer.from([1, 2, 3, 0, 255]),
  bindingSignature: Buffer.from('binding'),
};

export const certificate = {
  der: Buffer.from('leaf'),
  issuers: [Buffer.from([0, 1, 255]), Buffer.from('root')],
  serialNumber: '01',
  subject: 'CN=Ada',
  issuer: 'CN=CA',
  notBefore: new Date('2026-01-01T00:00:00Z'),
  notAfter: new Date('2028-01-01T00:00:00Z'),
};

export async function addTenant(db: Database): Promise<Tenant> {
  const tenantId = newId('ten');
  await db.prisma.tenant.create({ data: { id: tenantId, name: tenantId } });
  const apiKey = { name: 'caller', scopes: ['signings:write' as const] };
  const caller = await createApiKey(db, { tenantId, actor, apiKey });
  const apiKeyId = caller.apiKey.id;
  await createGrant(db, { tenantId, actor, apiKeyId });
  const userId = await addUser(db, tenantId);
  const keyId = await addActiveKey(db, tenantId, userId);
  return { tenantId, apiKeyId, token: caller.token, userId, keyId };
}

export function signingRequest(keyId: string): SigningRequest {
  return {
    keyId,
    source: { bucket: 'in', key: 'a.pdf', versionId: 'v1', sha256: 'aa'.repeat(32) },
    destination: { bucket: 'out', key: 'a.signed.pdf' },
    reason: 'approved',
    metadata: { order: 7 },
  };
}

export async function addSigning(db: Database, tenant: Tenant): Promise<Signing> {
  const { resource } = await createSigning(db, {
    ...tenant,
    request: signingRequest(tenant.keyId),
  });
  return resource;
}

export const result: SigningResult = {
  sha256: 'bb'.repeat(32),
  size: 1234,
  versionId: 'v2',
  etag: '"e"',
  level: 'B-B',
  certificateId: 'crt_x',
  stageMillis: { load: 1.5, sign: 2 },
};

export async function addEndpoint(
  db: Database,
  tenantId: string,
  eventTypes: readonly 'signing.completed'[] = [],
): Promise<string> {
  const { resource } = await createWebhookEndpoint(db, {
    tenantId,
    actor,
    endpoint: { url: 'https://example.test/hook', eventTypes, sealedSecret: Buffer.from('sealed') },
  });
  return resource.id;
}
