import type { NewCertificate } from '@signfleet/db';
import { PkiError, checkCertificateChain, parsePem, type ChainFacts } from '@signfleet/pki';
import { ApiError } from './errors.ts';

/**
 * Reads the PEM chain that an outside CA made for the key with this public key (DER), and checks it
 * as of now.
 *
 * @throws {ApiError} `certificate_rejected`, naming the reason and the index of the certificate.
 */
export function readCertificateChain(pem: string, publicKey: Uint8Array): NewCertificate {
  try {
    const chain = parsePem('CERTIFICATE', pem);
    return newCertificate(checkCertificateChain({ chain, publicKey, at: new Date() }));
  } catch (error) {
    if (error instanceof PkiError) throw rejected(error);
    throw error;
  }
}

function newCertificate({ leaf, completeChain }: ChainFacts): NewCertificate {
  const [der, ...issuers] = completeChain;
  if (der === undefined) throw new ApiError('internal_error', 'a checked chain is empty');
  return {
    der,
    issuers,
    serialNumber: leaf.serialNumberHex,
    subject: leaf.subject,
    issuer: leaf.issuer,
    notBefore: leaf.notBefore,
    notAfter: leaf.notAfter,
  };
}

function rejected(cause: PkiError): ApiError {
  const index = cause.details['certificateIndex'];
  const error = {
    pointer: '/pem',
    in: 'body' as const,
    code: cause.code,
    detail: cause.message,
    ...(typeof index === 'number' ? { certificateIndex: index } : {}),
  };
  return new ApiError('certificate_rejected', cause.message, { cause, errors: [error] });
}
