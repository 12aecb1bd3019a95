import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

import {
  algorithmFacts,
  issueCaCertificate,
  issueSigningCertificate,
  randomSerialNumber,
  softwareSigner,
  type CertificateProfile,
  type DistinguishedName,
  type KeyAlgorithm,
  type Signer,
} from '@signfleet/pki';

const generate = promisify(generateKeyPair);
const day = 86_400_000;

/** Somebody who can sign: a software key with its certificate. */
export interface TestIdentity {
  readonly algorithm: KeyAlgorithm;
  readonly privateKey: KeyObject;
  readonly signer: Signer;
  /** DER. */
  readonly certificate: Uint8Array;
  /** DER: the certificate, then the CA's. */
  readonly certificateChain: readonly Uint8Array[];
}

export interface TestPki {
  readonly caSigner: Signer;
  /** DER, self-signed. */
  readonly caCertificate: Uint8Array;
  readonly validity: { readonly notBefore: Date; readonly notAfter: Date };
  /** A user of that algorithm, the same one each time. */
  identity(algorithm: KeyAlgorithm): Promise<TestIdentity>;
  /** A new certificate by the CA for any key. */
  issue(o: {
    readonly subjectPublicKey: Uint8Array;
    readonly subject?: DistinguishedName;
    readonly profile?: CertificateProfile;
    readonly validity?: { readonly notBefore: Date; readonly notAfter: Date };
  }): Promise<Uint8Array>;
}

async function generatePrivateKey(algorithm: KeyAlgorithm): Promise<KeyObject> {
  const facts = algorithmFacts[algorithm];
  const pair =
    facts.kind === 'rsa'
      ? await generate('rsa', { modulusLength: facts.modulusBits ?? 0 })
      : await generate('ec', { namedCurve: facts.namedCurve ?? '' });
  return pair.privateKey;
}

const keys = new Map<KeyAlgorithm, Promise<KeyObject>>();

/** A software key, made once per process and algorithm, since an RSA key can take seconds. */
export function testPrivateKey(algorithm: KeyAlgorithm): Promise<KeyObject> {
  const known = keys.get(algorithm) ?? generatePrivateKey(algorithm);
  keys.set(algorithm, known);
  return known;
}

/**
 * A public-key infrastructure made in code: a CA (P-256 if nothing else is asked for) valid from
 * yesterday for ten years, and a user per algorithm, made when first asked for.
 */
export async function testPki(o: { readonly caAlgorithm?: KeyAlgorithm } = {}): Promise<TestPki> {
  const now = Math.floor(Date.now() / 1000) * 1000;
  const validity = { notBefore: new Date(now - day), notAfter: new Date(now + 3650 * day) };
  const caSigner = softwareSigner(await generatePrivateKey(o.caAlgorithm ?? 'P-256'));
  const caCertificate = await issueCaCertificate({
    signer: caSigner,
    subject: { commonName: 'Test issuing CA', organization: 'Test', country: 'SE' },
    validity,
    serialNumber: randomSerialNumber(),
  });
  const issue: TestPki['issue'] = (certificate) =>
    issueSigningCertificate({
      caSigner,
      caCertificate,
      subject: { commonName: 'Test user' },
      profile: {},
      serialNumber: randomSerialNumber(),
      validity,
      ...certificate,
    });
  const identities = new Map<KeyAlgorithm, Promise<TestIdentity>>();
  const identify = async (algorithm: KeyAlgorithm): Promise<TestIdentity> => {
    const privateKey = await testPrivateKey(algorithm);
    const signer = softwareSigner(privateKey);
    const certificate = await issue({
      subjectPublicKey: signer.publicKey,
      subject: { commonName: `Test user ${algorithm}`, organization: 'Test', country: 'SE' },
    });
    const certificateChain = [certificate, caCertificate];
    return { algorithm, privateKey, signer, certificate, certificateChain };
  };
  return {
    caSigner,
    caCertificate,
    validity,
    issue,
    identity(algorithm) {
      const identity = identities.get(algorithm) ?? identify(algorithm);
      identities.set(algorithm, identity);
      return identity;
    },
  };
}
