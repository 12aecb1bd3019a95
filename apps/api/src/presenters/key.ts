import type { Certificate, Key } from '@signfleet/db';
import { encodePem, parseKeyAlgorithm } from '@signfleet/pki';
import type { z } from 'zod';
import type { certificate, key } from '../schemas/key.ts';
import { toOptionalTime, toTime } from './time.ts';

/** A key as it was ordered: the answer that a repeated order gets again. */
export function presentAcceptedKey(row: Key): z.output<typeof key> {
  return {
    id: row.id,
    userId: row.userId,
    state: 'pending',
    algorithm: parseKeyAlgorithm(row.algorithm),
    certificateMode: row.certificateMode,
    publicKey: null,
    certificateId: null,
    csrAvailable: false,
    error: null,
    createdAt: toTime(row.createdAt),
    activatedAt: null,
  };
}

/** A key as it is now. */
export function presentKey(row: Key): z.output<typeof key> {
  return {
    ...presentAcceptedKey(row),
    state: row.state,
    publicKey: row.publicKey === null ? null : encodePem('PUBLIC KEY', row.publicKey),
    certificateId: row.activeCertificateId,
    csrAvailable: row.csr !== null,
    error: row.errorCode === null ? null : { code: row.errorCode, message: row.errorMessage ?? '' },
    activatedAt: toOptionalTime(row.activatedAt),
  };
}

export function presentCertificate(row: Certificate): z.output<typeof certificate> {
  return {
    id: row.id,
    keyId: row.keyId,
    subject: row.subject,
    issuer: row.issuer,
    serialNumber: row.serialNumber,
    notBefore: toTime(row.notBefore),
    notAfter: toTime(row.notAfter),
    pem: [row.der, ...row.chain].map((der) => encodePem('CERTIFICATE', der)).join(''),
    createdAt: toTime(row.createdAt),
  };
}
