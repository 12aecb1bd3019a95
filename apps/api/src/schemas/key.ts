import { z } from 'zod';
import { id, pageQuery, time } from './primitives.ts';

export const keyAlgorithm = z.enum(['RSA-2048', 'RSA-3072', 'RSA-4096', 'P-256', 'P-384']);
export const certificateMode = z.enum(['builtin', 'csr']);
export const keyState = z.enum(['pending', 'awaiting_certificate', 'active', 'failed', 'revoked']);

export const newKey = z.strictObject({
  userId: id,
  algorithm: keyAlgorithm,
  certificateMode: certificateMode.default('builtin').meta({
    description: 'builtin: certified by the built-in CA; csr: by an outside CA',
  }),
});

export const fault = z.object({ code: z.string(), message: z.string() });

export const key = z
  .object({
    id,
    userId: id,
    state: keyState,
    algorithm: keyAlgorithm,
    certificateMode,
    publicKey: z.string().nullable().meta({ description: 'SubjectPublicKeyInfo, PEM' }),
    certificateId: id.nullable(),
    csrAvailable: z.boolean(),
    error: fault.nullable(),
    createdAt: time,
    activatedAt: time.nullable(),
  })
  .meta({ id: 'Key' });

export const keyQuery = z.strictObject({
  ...pageQuery,
  userId: id.optional(),
  state: keyState.optional(),
});

export const newCertificate = z.strictObject({
  keyId: id,
  pem: z.string().min(1).max(100_000).meta({
    description: 'The certificate of the key, then its issuers up to the root, PEM',
  }),
});

export const certificate = z
  .object({
    id,
    keyId: id,
    subject: z.string(),
    issuer: z.string(),
    serialNumber: z.string().meta({ description: 'hexadecimal' }),
    notBefore: time,
    notAfter: time,
    pem: z.string().meta({ description: 'The certificate, then its issuers' }),
    createdAt: time,
  })
  .meta({ id: 'Certificate' });
