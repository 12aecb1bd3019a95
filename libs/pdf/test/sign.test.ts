import { describe, expect, it } from 'vitest';
import { verifyDocument } from '../src/verify/verify-document.ts';
import { verifySealed } from '../src/verify/verify-sealed.ts';
import { appendRevision, onePage, writePdf, type FixtureOptions } from './pdf-fixture.ts';
import { createIdentity, signPdf } from './signing-fixture.ts';
import { mutoolVerifies, opensslVerifies, pdfsig, qpdfCheck, renderedPages } from './validators.ts';

const identity = createIdentity('P-256');
const trustAnchors = [identity.certificateChain[1]];

/** Signs, and asks every verifier there is. */
async function expectAccepted(
  source: Buffer,
  options: Parameters<typeof signPdf>[2] & { readonly earlier?: number } = {},
): Promise<Buffer> {
  const { earlier = 0, ...facts } = options;
  const sealed = await signPdf(source, identity, facts);
  const signed = Buffer.from(sealed.bytes());
  expect(Buffer.compare(signed.subarray(0, source.length), source)).toBe(0);
  const own = verifyDocument(signed, { trustAnchors });
  expect(own.map(({ valid, trusted, level }) => ({ valid, trusted, level }))).toEqual(
    Array.from({ length: earlier + 1 }, () => ({ valid: true, trusted: true, level: 'B-B' })),
  );
  expect(own.filter(({ coversWholeFile }) => coversWholeFile)).toHaveLength(1);
  expect(verifySealed(sealed, { trustAnchors })).toMatchObject({
    valid: true,
    trusted: true,
    codes: [],
  });
  const peer = pdfsig(signed);
  expect(peer).toHaveLength(earlier + 1);
  expect(peer.every(({ valid }) => valid)).toBe(true);
  expect(peer.filter(({ wholeFile }) => wholeFile)).toHaveLength(1);
  expect(opensslVerifies(sealed, identity.rootPem)).toBe(true);
  // mutool strips leading bytes, then looks for the byte range in what is left.
  const leading = source.indexOf('%PDF-') > 0;
  expect(leading || mutoolVerifies(signed)).toBe(true);
  expect(qpdfCheck(signed)).toBeLessThanOrEqual(qpdfCheck(source));
  expect(renderedPages(signed)).toEqual(renderedPages(source));
  return signed;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

describe('forms of cross-reference', () => {
  const forms: readonly [string, FixtureOptions][] = [
    ['table', { form: 'table', version: '1.4' }],
    ['stream', { form: 'stream' }],
    ['stream with a predictor', { form: 'stream', predictor: true }],
    ['stream and object streams', { form: 'stream', compressed: [1, 2, 3, 5] }],
    ['hybrid', { form: 'hybrid', compressed: [3, 5] }],
    ['PDF 2.0 table', { form: 'table', version: '2.0' }],
    ['table after leading bytes', { form: 'table', leading: 'junk before the header\r\n' }],
    ['stream after leading bytes', { form: 'stream', leading: 'junk\n', compressed: [3] }],
  ];
  it.each(forms)('%s', async (_name, options) => {
    const source = writePdf(onePage(), options);
    const signed = await expectAccepted(source);
    const appended = text(signed.subarray(source.length));
    const streamed = options.form === 'stream';
    expect(appended.includes('/Type /XRef')).toBe(streamed);
    expect(/^xref$/m.test(appended)).toBe(!streamed);
  });

  it('takes offsets from the start of the file where they count from there', async () => {
    const shifted = writePdf(onePage()).toString('latin1');
    const junk = 'leading\n';
    const moved = shifted
      .replace(/^(\d{10}) 00000 n/gm, (_match, digits: string) => {
        return `${String(Number(digits) + junk.length).padStart(10, '0')} 00000 n`;
      })
      .replace(/startxref\n(\d+)/, (_match, digits: string) => {
        return `startxref\n${Number(digits) + junk.length}`;
      });
    const sealed = await signPdf(Buffer.from(junk + moved, 'latin1'), identity);
    expect(sealed.digested.prepared).toMatchObject({ origin: 0, recovered: false });
    expect(verifyDocument(sealed.bytes())).toMatchObject([{ valid: true }]);
  });

  it('keeps /Info and the first part of /ID, and changes the second', async () => {
    const trailer = '/Root 1 0 R /Info 6 0 R /ID [<AA01> <AA01>]';
    const source = writePdf(onePage({ 6: '<< /Title (x) >>' }), { trailer });
    const appended = text((await expectAccepted(source)).subarray(source.length));
    expect(appended).toContain('/Info 6 0 R');
    expect(appended).toMatch(/\/ID \[<AA01> <[0-9A-F]{32}>\]/);
  });

  it('does not let a dangling /Info come to mean a new object', async () => {
    const source = writePdf(onePage(), { trailer: '/Root 1 0 R /Info 6 0 R' });
    const appended = text((await expectAccepted(source)).subarray(source.length));
    expect(appended).not.toContain('/Info');
    expect(appended).not.toMatch(/^6 0 obj/m);
  });

  it('keeps the generation of the objects it changes', async () => {
    const objects = onePage({
      1: '<< /Type /Catalog /Pages 2 3 R >>',
      2: '<< /Type /Pages /Kids [3 7 R] /Count 1 >>',
      3: '<< /Type /Page /Parent 2 3 R /MediaBox [0 0 300 200] >>',
    });
    const generations = new Map([
      [2, 3],
      [3, 7],
    ]);
    const source = writePdf(objects, { generations });
    const appended = text((await expectAccepted(source)).subarray(source.length));
    expect(appended).toMatch(/^3 7 obj/m);
    expect(appended).toMatch(/^\d{10} 00007 n/m);
    expect(appended).toContain('/P 3 7 R');
  });
});

describe('revisions', () => {
  it('signs on top of several', async () => {
    const first = writePdf(onePage());
    const second = appendRevision(first, new Map([[6, '<< /Title (two) >>']]));
    const page = '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>';
    const third = appendRevision(second, new Map([[3, page]]), { form: 'stream' });
    const signed = await expectAccepted(third);
    expect(text(signed.subarray(third.length))).toContain('/MediaBox [0 0 100 100]');
  });

  it.each([
    ['table', { form: 'table' }],
    ['object streams', { form: 'stream', compressed: [1, 2, 3] }],
  ] as const)('keeps an earlier signature valid: %s', async (_name, options) => {
    const once = await expectAccepted(writePdf(onePage(), options));
    const twice = await expectAccepted(once, { earlier: 1, reason: 'second' });
    const thrice = await expectAccepted(twice, { earlier: 2 });
    const reports = verifyDocument(thrice);
    expect(reports.map(({ fieldName }) => fieldName)).toEqual([
      'Signature1',
      'Signature2',
      'Signature3',
    ]);
    expect(reports.map(({ codes }) => codes)).toEqual([['not_whole_file'], ['not_whole_file'], []]);
  });

  it('follows a /Prev loop once', async () => {
    const once = writePdf(onePage()).toString('latin1');
    const start = /startxref\n(\d+)/.exec(once)?.[1] ?? '';
    const looped = once.replace('/Root 1 0 R', `/Root 1 0 R /Prev ${start}`);
    const sealed = await signPdf(Buffer.from(looped, 'latin1'), identity);
    expect(verifyDocument(sealed.bytes())).toMatchObject([{ valid: true }]);
  });
});

describe('page annotations', () => {
  const page = (annotations: string): string =>
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Annots ${annotations}>>`;
  const link = '<< /Type /Annot /Subtype /Link /Rect [0 0 10 10] /Border [0 0 0] >>';
  const variants: readonly [string, Record<number, string>, RegExp][] = [
    ['direct', { 3: page('[6 0 R]'), 6: link }, /\/Annots \[6 0 R \d+ 0 R \]/],
    ['empty', { 3: page('[]') }, /\/Annots \[ \d+ 0 R \]/],
    ['indirect', { 3: page('7 0 R'), 6: link, 7: '[6 0 R]' }, /^7 0 obj\n\[6 0 R \d+ 0 R \]/m],
    ['dangling', { 3: page('9 0 R') }, /\/Annots +\[\d+ 0 R\]/],
    ['null', { 3: page('null') }, /\/Annots +\[\d+ 0 R\]/],
  ];
  it.each(variants)('%s', async (_name, changes, expected) => {
    const source = writePdf(onePage(changes), { trailer: '/Root 1 0 R' });
    const signed = await expectAccepted(source);
    expect(text(signed.subarray(source.length))).toMatch(expected);
  });

  it('indirect, within an object stream', async () => {
    const objects = onePage({ 3: page('7 0 R'), 6: link, 7: '[6 0 R]' });
    const source = writePdf(objects, { form: 'stream', compressed: [1, 2, 3, 6, 7] });
    const signed = await expectAccepted(source);
    expect(text(signed.subarray(source.length))).toMatch(/^7 0 obj\n\[6 0 R \d+ 0 R \]/m);
  });
});

describe('facts of the signature', () => {
  it('writes texts and time so that they are read back', async () => {
    const source = writePdf(onePage());
    const reason = 'Geprüft (gut) \\ 承認';
    const signed = await expectAccepted(source, { reason, location: 'Malmö (SE)', name: 'Ada' });
    const appended = text(signed.subarray(source.length));
    const hexadecimal = Buffer.from(`\uFEFF${reason}`, 'utf16le').swap16().toString('hex');
    expect(appended).toContain(`/Reason <${hexadecimal.toUpperCase()}>`);
    expect(appended).toContain('/Location <4D616C6DF620285345');
    expect(appended).toContain('/Name (Ada)');
    expect(appended).toContain("/M (D:20260203040506+00'00')");
    expect(verifyDocument(signed)[0]?.claimedTime).toBe("D:20260203040506+00'00'");
  });

  it.each(['RSA-2048', 'P-384'] as const)('signs with %s', async (algorithm) => {
    const other = createIdentity(algorithm);
    const sealed = await signPdf(writePdf(onePage()), other);
    expect(verifySealed(sealed)).toMatchObject({ valid: true, algorithm, signer: 'Test signer' });
    expect(pdfsig(sealed.bytes())).toEqual([{ valid: true, wholeFile: true }]);
    expect(opensslVerifies(sealed, other.rootPem)).toBe(true);
  });

  it('gives the same bytes for the same input', async () => {
    const rsa = createIdentity('RSA-2048');
    const source = writePdf(onePage(), { trailer: '/Root 1 0 R /ID [<01> <02>]' });
    const [one, two] = [await signPdf(source, rsa), await signPdf(source, rsa)];
    expect(Buffer.compare(one.bytes(), two.bytes())).toBe(0);
  });
});
