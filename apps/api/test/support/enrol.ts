import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { claimKeyEnrolment, completeKeyEnrolment, type Database } from '@signfleet/db';
import { certificationRequest, parseCertificate, softwareSigner } from '@signfleet/pki';
import { testPki, type TestPki } from '@signfleet/testing';
import type { TestApi } from './test-api.ts';

/** What a worker would have made for a key. */
export interface Enrolled {
  readonly pki: TestPki;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
}

/** Does the worker's part of an enrolment with a software key: the API never needs an HSM. */
export async function enrol(
  db: Database,
  keyId: string,
  mode: 'builtin' | 'csr',
): Promise<Enrolled> {
  const claim = await claimKeyEnrolment(db, { id: keyId, workerId: 'test', leaseSeconds: 60 });
  if ('refused' in claim) throw new Error(`the key was not to be enrolled: ${claim.refused}`);
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = new Uint8Array(pair.publicKey.export({ type: 'spki', format: 'der' }));
  const pki = await testPki();
  const record = {
    publicKey,
    keyEncryptionKeyId: 'kek-1',
    wrappedKey: randomBytes(80),
    bindingSignature: randomBytes(70),
  };
  const subject = { commonName: 'Test user' };
  const { fencingToken } = claim;
  if (mode === 'csr') {
    const csr = await certificationRequest({ signer: softwareSigner(pair.privateKey), subject });
    await completeKeyEnrolment(db, { id: keyId, fencingToken, record, csr });
    return { pki, publicKey };
  }
  const der = await pki.issue({ subjectPublicKey: publicKey, subject });
  const { serialNumberHex, notBefore, notAfter, ...names } = parseCertificate(der);
  const certificate = {
    der,
    issuers: [pki.caCertificate],
    serialNumber: serialNumberHex,
    subject: names.subject,
    issuer: names.issuer,
    notBefore,
    notAfter,
  };
  await completeKeyEnrolment(db, { id: keyId, fencingToken, record, certificate });
  return { pki, publicKey };
}

/** A user with an active key, made through the API. */
export async function addUserWithKey(
  api: TestApi,
  token?: string,
): Promise<{ userId: string; keyId: string }> {
  const options = token === undefined ? {} : { token };
  const user = await api.call('POST', '/v1/users', { body: { name: 'Ada' }, ...options });
  const userId = user.id;
  return { userId, keyId: await addKey(api, userId, token) };
}

/** Another active key for a user. */
export async function addKey(api: TestApi, userId: string, token?: string): Promise<string> {
  const options = token === undefined ? {} : { token };
  const body = { userId, algorithm: 'P-256' };
  const key = await api.call('POST', '/v1/keys', { body, ...options });
  const keyId = key.id;
  await enrol(api.db, keyId, 'builtin');
  return keyId;
}
