import { algorithmFacts } from './algorithm.ts';
import { bitString, sequence } from './der.ts';
import { PkiError } from './error.ts';
import { verifyWithPublicKey } from './public-key.ts';
import type { Signer } from './signer.ts';

/**
 * Signs a DER structure the way certificates and requests are signed: the structure, the algorithm,
 * the signature, in one SEQUENCE (RFC 5280 section 4.1, RFC 2986 section 4.2). The signature is
 * verified before anything is returned, since a faulty device must not get a certificate out.
 *
 * @throws PkiError `signer_faulty`, and what the signer throws.
 */
export async function signStructure(structure: Uint8Array, signer: Signer): Promise<Uint8Array> {
  const { algorithm, publicKey } = signer;
  const signature = await signer.sign(structure);
  if (!verifyWithPublicKey({ algorithm, publicKey, message: structure, signature }))
    throw new PkiError('signer_faulty', 'the signature is not by the public key of its signer');
  return sequence(structure, algorithmFacts[algorithm].signatureAlgorithmDer, bitString(signature));
}
