import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { generateSecret, signWebhook, verifyWebhook, type WebhooksError } from '../src/index.ts';

const id = 'evt_0198f0c2';
const body = '{"type":"signing.completed","data":{"name":"Zoë ✓"}}';
const secret = generateSecret();
const now = (): Date => new Date();

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as WebhooksError).code;
  }
  return 'nothing thrown';
}

describe('signWebhook', () => {
  it('signs as the specification shows', () => {
    expect(
      signWebhook({
        id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        timestamp: new Date(1_614_265_330_000),
        body: '{"test": 2432232314}',
        secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
      }),
    ).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('satisfies the public library, with text and with bytes', () => {
    for (const content of [body, Buffer.from(body)]) {
      const headers = signWebhook({ id, timestamp: now(), body: content, secrets: [secret] });
      expect(new Webhook(secret).verify(body, { ...headers })).toEqual(JSON.parse(body));
    }
  });

  it('signs with each secret during a rotation', () => {
    const old = generateSecret();
    const headers = signWebhook({ id, timestamp: now(), body, secrets: [secret, old] });
    for (const known of [secret, old]) {
      expect(new Webhook(known).verify(body, { ...headers })).toEqual(JSON.parse(body));
    }
    expect(() => new Webhook(generateSecret()).verify(body, { ...headers })).toThrow();
  });

  it.each([
    '',
    'whsec_',
    'whsec_c2hvcnQ=',
    secret.slice(6),
    `${secret}*`,
    `whsec_${Buffer.alloc(65).toString('base64')}`,
  ])('refuses the secret %j', (bad) => {
    const run = () => signWebhook({ id, timestamp: now(), body, secrets: [bad] });
    expect(codeOf(run)).toBe('secret_invalid');
  });
});

describe('verifyWebhook', () => {
  const headers = signWebhook({ id, timestamp: now(), body, secrets: [secret] });

  it('takes what the public library signs', () => {
    const timestamp = new Date(1_700_000_000_000);
    const signature = new Webhook(secret).sign(id, timestamp, body);
    const received = {
      'Webhook-Id': id,
      'Webhook-Timestamp': '1700000000',
      'Webhook-Signature': `v1a,AAAA ${signature} v1,AAAA`,
    };
    expect(verifyWebhook({ headers: received, body, secrets: [secret], now: timestamp })).toEqual({
      id,
      timestamp,
    });
  });

  it('takes any of the secrets that the receiver knows', () => {
    const secrets = [generateSecret(), secret];
    expect(verifyWebhook({ headers: { ...headers }, body, secrets }).id).toBe(id);
  });

  it.each([
    ['another body', { body: `${body} ` }],
    ['another secret', { secrets: [generateSecret()] }],
    ['no secret', { secrets: [] }],
    ['another id', { headers: { ...headers, 'webhook-id': 'evt_2' } }],
    ['another version', { headers: { ...headers, 'webhook-signature': 'v2,AAAA' } }],
    [
      'a shortened signature',
      { headers: { ...headers, 'webhook-signature': headers['webhook-signature'].slice(0, 20) } },
    ],
  ])('refuses %s', (_name, change) => {
    const run = () =>
      verifyWebhook({ headers: { ...headers }, body, secrets: [secret], ...change });
    expect(codeOf(run)).toBe('signature_invalid');
  });

  it('refuses what is too old or from the future', () => {
    const sent = new Date(Number(headers['webhook-timestamp']) * 1_000);
    const at = (seconds: number) => () =>
      verifyWebhook({
        headers: { ...headers },
        body,
        secrets: [secret],
        toleranceSeconds: 60,
        now: new Date(sent.getTime() + seconds * 1_000),
      });
    expect(at(60)().id).toBe(id);
    expect(at(-60)().id).toBe(id);
    expect(codeOf(at(61))).toBe('timestamp_out_of_tolerance');
    expect(codeOf(at(-61))).toBe('timestamp_out_of_tolerance');
  });

  it('names a missing or malformed header', () => {
    for (const name of Object.keys(headers)) {
      const run = () =>
        verifyWebhook({ headers: { ...headers, [name]: undefined }, body, secrets: [secret] });
      expect(codeOf(run)).toBe('header_missing');
    }
    const malformed = { ...headers, 'webhook-timestamp': '2026-01-01' };
    expect(codeOf(() => verifyWebhook({ headers: malformed, body, secrets: [secret] }))).toBe(
      'timestamp_invalid',
    );
  });
});
