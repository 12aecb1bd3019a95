import { describe, expect, it } from 'vitest';
import { parseTargetUrl } from '../src/index.ts';
import { isPublicAddress } from '../src/target-address.ts';

describe('isPublicAddress', () => {
  it.each(['1.1.1.1', '93.184.215.14', '172.32.0.1', '2606:4700:4700::1111', '::ffff:8.8.8.8'])(
    'lets %s through',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::a9fe:a9fe',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'ff02::1',
    'localhost',
    '',
  ])('refuses %s', (address) => expect(isPublicAddress(address)).toBe(false));
});

describe('parseTargetUrl', () => {
  const strict = { allowPrivateTargets: false };

  it('takes an https URL', () => {
    expect(parseTargetUrl('https://hooks.example/in?x=1', strict).href).toBe(
      'https://hooks.example/in?x=1',
    );
    expect(parseTargetUrl('https://[2606:4700::1]:8443/', strict).port).toBe('8443');
  });

  it('takes http and private addresses only when they are allowed', () => {
    const url = 'http://127.0.0.1:9000/';
    expect(parseTargetUrl(url, { allowPrivateTargets: true }).href).toBe(url);
    expect(() => parseTargetUrl(url, strict)).toThrow(
      expect.objectContaining({ code: 'url_invalid' }),
    );
  });

  it.each([
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f.0.0.1/',
    'https://0177.0.0.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[fd00:ec2::254]/',
  ])('refuses the private address of %s', (url) => {
    expect(() => parseTargetUrl(url, strict)).toThrow(
      expect.objectContaining({ code: 'target_forbidden' }),
    );
  });

  it.each([
    '',
    '/hook',
    'ftp://hooks.example/',
    'file:///etc/passwd',
    'https://user:pw@hooks.example/',
    `https://hooks.example/${'x'.repeat(2_048)}`,
  ])('refuses %s', (url) => {
    for (const allowPrivateTargets of [true, false]) {
      expect(() => parseTargetUrl(url, { allowPrivateTargets })).toThrow(
        expect.objectContaining({ code: 'url_invalid' }),
      );
    }
  });
});
