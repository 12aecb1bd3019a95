import { createHash } from 'node:crypto';

import {
  algorithmFacts,
  signedAttributes,
  signedData,
  verifySignedData,
  type SignedDataVerdict,
} from '../src/index.ts';
import type { TestIdentity } from '../../testing/src/test-pki.ts';

export const content = Buffer.from('the bytes between the gaps of a document');

/** A detached signature over {@link content}. */
export async function signContent(identity: TestIdentity): Promise<Uint8Array> {
  const { algorithm, certificate, certificateChain, signer } = identity;
  const attributes = signedAttributes({
    messageDigest: createHash(algorithmFacts[algorithm].digest).update(content).digest(),
    signingCertificate: certificate,
    algorithm,
  });
  return signedData({
    signedAttributes: attributes,
    signature: await signer.sign(attributes),
    certificateChain,
    algorithm,
  });
}

/** Our verdict on `der` over {@link content}. */
export function judge(
  der: Uint8Array,
  o: { signed?: Uint8Array; trustAnchors?: readonly Uint8Array[] } = {},
): SignedDataVerdict {
  return verifySignedData({
    der,
    contentDigest: (digest) =>
      createHash(digest)
        .update(o.signed ?? content)
        .digest(),
    ...(o.trustAnchors === undefined ? {} : { trustAnchors: o.trustAnchors }),
  });
}
