import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PdfError } from '../src/error.ts';
import type { SealedDocument } from '../src/seal.ts';
import { verifyDocument } from '../src/verify/verify-document.ts';
import { verifySealed } from '../src/verify/verify-sealed.ts';
import { createIdentity, signPdf } from './signing-fixture.ts';
import { opensslVerifies, pdfsig, qpdfCheck, renderedPages } from './validators.ts';

/** Any folder of PDFs: `SIGNFLEET_CORPUS`, or one that lies beside the repository. */
const folder =
  process.env['SIGNFLEET_CORPUS'] ?? resolve(import.meta.dirname, '../../../../shared/corpus');
const files = existsSync(folder)
  ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.toLowerCase().endsWith('.pdf'))
      .sort()
  : [];

const identity = createIdentity('RSA-2048');

async function signOrRefuse(source: Uint8Array): Promise<SealedDocument | PdfError> {
  try {
    return await signPdf(source, identity, { reason: 'Corpus' });
  } catch (error) {
    if (error instanceof PdfError) return error;
    throw error;
  }
}

describe('every PDF of a folder is signed or refused with a reason', () => {
  if (files.length === 0) {
    it('has no folder to try', () => {
      console.log(`no PDFs in ${folder}: set SIGNFLEET_CORPUS to a folder of PDFs`);
      expect(process.env['SIGNFLEET_CORPUS']).toBeUndefined();
    });
  }
  it.each(files)('%s', { timeout: 120_000 }, async (name) => {
    const source = readFileSync(join(folder, name));
    const sealed = await signOrRefuse(source);
    if (sealed instanceof PdfError) {
      console.log(`${name}: refused, ${sealed.code} ${JSON.stringify(sealed.details)}`);
      expect([
        'encrypted',
        'damaged',
        'no_pages',
        'certification_forbids',
        'too_complex',
        'not_a_pdf',
      ]).toContain(sealed.code);
      return;
    }
    const signed = sealed.bytes();
    const earlier = verifyDocument(source);
    expect(Buffer.compare(signed.subarray(0, source.length), source)).toBe(0);
    expect(verifySealed(sealed)).toMatchObject({ valid: true, codes: [] });
    const reports = verifyDocument(signed);
    expect(reports).toHaveLength(earlier.length + 1);
    expect(reports.filter(({ intact }) => intact)).toHaveLength(
      earlier.filter(({ intact }) => intact).length + 1,
    );
    expect(pdfsig(signed).filter(({ valid, wholeFile }) => valid && wholeFile)).toHaveLength(1);
    expect(opensslVerifies(sealed, identity.rootPem)).toBe(true);
    expect(qpdfCheck(signed)).toBeLessThanOrEqual(qpdfCheck(source));
    expect(renderedPages(signed)).toEqual(renderedPages(source));
  });
});
