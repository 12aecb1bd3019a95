import { describe, expect, it } from 'vitest';

import { parseTokenUri } from '../src/index.ts';

describe('a PKCS#11 URI', () => {
  it('names a token, its module and its PIN file', () => {
    expect(
      parseTokenUri(
        'pkcs11:token=My%20token;serial=0123;manufacturer=ACME;model=M1?module-path=/usr/lib/x.so&pin-source=file:/run/pin',
      ),
    ).toEqual({
      token: 'My token',
      serial: '0123',
      manufacturer: 'ACME',
      model: 'M1',
      modulePath: '/usr/lib/x.so',
      pinFile: '/run/pin',
    });
  });

  it.each([
    ['file:/run/pin', '/run/pin'],
    ['file:///run/pin', '/run/pin'],
    ['file://localhost/run/pin', '/run/pin'],
    ['/run/pin', '/run/pin'],
  ])('takes the pin-source %s', (source, pinFile) => {
    expect(parseTokenUri(`pkcs11:token=t?pin-source=${source}`)).toEqual({ token: 't', pinFile });
  });

  it.each([
    'token=t',
    'pkcs11:',
    'pkcs11:token',
    'pkcs11:token=a;token=b',
    'pkcs11:token=%zz',
    'pkcs11:object=key',
    'pkcs11:token=t?pin-value=1234',
    'pkcs11:token=t?pin-source=%7Ccommand',
    'pkcs11:token=t?surprise=1',
  ])('is refused: %s', (uri) => {
    expect(() => parseTokenUri(uri)).toThrow(
      expect.objectContaining({ code: 'token_uri_invalid' }),
    );
  });

  it('never shows a PIN in its error', () => {
    expect(() => parseTokenUri('pkcs11:token=t?pin-value=s3cret')).not.toThrow(/s3cret/);
  });
});
