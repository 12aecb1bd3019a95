import { createHash } from 'node:crypto';

import { HsmError, type SigningToken, type WrappedKeyRecord } from '@signfleet/hsm';
import {
  algorithmFacts,
  parseCertificate,
  PkiError,
  signedAttributes,
  signedData,
  verifyWithPublicKey,
} from '@signfleet/pki';
import { Signer } from '@signpdf/utils';

export interface HsmSignerOptions {
  /** Stays the caller's, who closes it. */
  readonly signingToken: Pick<SigningToken, 'withUnwrappedKey'>;
  readonly record: WrappedKeyRecord;
  /** DER, the record's certificate first. */
  readonly certificateChain: readonly Uint8Array[];
}

class HsmSigner extends Signer {
  readonly #options: HsmSignerOptions;
  readonly #signingCertificate: Uint8Array;

  constructor(options: HsmSignerOptions, signingCertificate: Uint8Array) {
    super();
    this.#options = options;
    this.#signingCertificate = signingCertificate;
  }

  // The signing time goes into the dictionary's /M by the placeholder; PAdES has none in the CMS.
  override async sign(pdf: Buffer): Promise<Buffer> {
    const { record, certificateChain, signingToken } = this.#options;
    const { algorithm, publicKey } = record;
    const attributes = signedAttributes({
      messageDigest: createHash(algorithmFacts[algorithm].digest).update(pdf).digest(),
      signingCertificate: this.#signingCertificate,
      algorithm,
    });
    const signature = await signingToken.withUnwrappedKey(record, (signer) =>
      signer.sign(attributes),
    );
    if (!verifyWithPublicKey({ algorithm, publicKey, message: attributes, signature }))
      throw new HsmError('device_error', 'the HSM returned a signature that does not verify');
    return Buffer.from(
      signedData({ signedAttributes: attributes, signature, certificateChain, algorithm }),
    );
  }
}

/**
 * A signer for `@signpdf/signpdf` whose key is guarded by an HSM: each signature unwraps the key,
 * signs, and destroys it. Makes PAdES B-B signatures, so give the placeholder the sub-filter
 * `ETSI.CAdES.detached` and room for the chain (`signedDataSizeLimit`). The signature is checked
 * with the public key before it is handed over.
 *
 * @throws PkiError `chain_empty`, `malformed_certificate`, or `certificate_key_mismatch` if the
 * first certificate is not of the record's key; on signing, what `SigningToken.withUnwrappedKey`
 * throws.
 */
export function hsmSigner(options: HsmSignerOptions): Signer {
  const [leaf] = options.certificateChain;
  if (leaf === undefined) throw new PkiError('chain_empty', 'a signature needs its certificate');
  if (Buffer.compare(parseCertificate(leaf).publicKey, options.record.publicKey) !== 0)
    throw new PkiError('certificate_key_mismatch', 'the certificate is of another key');
  return new HsmSigner(options, leaf);
}
