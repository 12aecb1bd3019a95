import type { RequestListener } from 'node:http';
import { ResourceStack } from '@signfleet/errors';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  generateSecret,
  openDeliverer,
  type Deliverer,
  type DelivererOptions,
  type DeliveryAttempt,
  type Lookup,
} from '../src/index.ts';
import { startReceiver, type Receiver } from './receiver.ts';
import { testCertificate } from './test-certificate.ts';

const secret = generateSecret();
const body = '{"type":"signing.completed","timestamp":"2026-01-01T00:00:00.000Z","data":{}}';

let resources: ResourceStack;
beforeEach(() => {
  resources = new ResourceStack();
});
afterEach(() => resources.close());

async function receiver(
  answer: RequestListener,
  tls?: { key: string; cert: string },
): Promise<Receiver> {
  return resources.use('receiver', await startReceiver(answer, tls), (opened) => opened.close());
}

function deliverer(o: Partial<DelivererOptions> = {}): Deliverer {
  return resources.use(
    'deliverer',
    openDeliverer({ allowPrivateTargets: true, timeoutMs: 20_000, ...o }),
    (opened) => opened.close(),
  );
}

function deliver(url: string, o: Partial<DelivererOptions> = {}): Promise<DeliveryAttempt> {
  return deliverer(o).deliver({ url, id: 'evt_1', body, secrets: [secret] });
}

const accept: RequestListener = (_request, response) => response.writeHead(204).end();

describe('deliver', () => {
  it('sends what the public library verifies', async () => {
    const { url, received } = await receiver(accept);
    expect(await deliver(url)).toMatchObject({ delivered: true, status: 204, responseText: '' });
    expect(received).toHaveLength(1);
    const [request] = received;
    expect(request).toMatchObject({ method: 'POST', path: '/hook' });
    expect(request!.headers['content-type']).toBe('application/json');
    const headers = request!.headers as Record<string, string>;
    expect(headers['webhook-id']).toBe('evt_1');
    expect(new Webhook(secret).verify(request!.body, headers)).toEqual(JSON.parse(body));
  });

  it('uses few connections for many deliveries', async () => {
    const sockets = new Set<unknown>();
    const { url } = await receiver((request, response) => {
      sockets.add(request.socket);
      response.end('ok');
    });
    const sender = deliverer();
    const ids = Array.from({ length: 30 }, (_, index) => `evt_${index}`);
    const attempts = await Promise.all(
      ids.map((id) => sender.deliver({ url, id, body, secrets: [secret] })),
    );
    for (const attempt of attempts) {
      expect(attempt).toMatchObject({ delivered: true, status: 200, responseText: 'ok' });
    }
    expect(sockets.size).toBeLessThanOrEqual(8);
  });

  it.each([
    [400, 'status'],
    [410, 'gone'],
    [500, 'status'],
  ])('tells a status %i', async (status, error) => {
    const { url } = await receiver((_request, response) =>
      response.writeHead(status).end('no\0thanks'),
    );
    expect(await deliver(url)).toMatchObject({
      delivered: false,
      status,
      error,
      responseText: 'no\uFFFDthanks',
    });
  });

  it.each([
    ['120', 120_000],
    ['999999999', 86_400_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', undefined],
  ])('tells a Retry-After of %s', async (value, retryAfterMs) => {
    const { url } = await receiver((_request, response) =>
      response.writeHead(429, { 'retry-after': value }).end(),
    );
    const attempt = await deliver(url);
    expect(attempt).toMatchObject({ delivered: false, status: 429 });
    expect('retryAfterMs' in attempt ? attempt.retryAfterMs : undefined).toBe(retryAfterMs);
  });

  it('follows no redirect', async () => {
    const elsewhere = await receiver(accept);
    const { url } = await receiver((_request, response) =>
      response.writeHead(307, { location: elsewhere.url }).end(),
    );
    expect(await deliver(url)).toMatchObject({
      delivered: false,
      status: 307,
      error: 'redirected',
    });
    expect(elsewhere.received).toEqual([]);
  });

  it('gives up on a receiver that does not answer', async () => {
    const { url } = await receiver(() => undefined);
    const attempt = await deliver(url, { timeoutMs: 200 });
    expect(attempt).toMatchObject({ delivered: false, error: 'timeout' });
  });

  it('counts a status in time as the answer, however slow the body', async () => {
    const { url } = await receiver((_request, response) => {
      response.writeHead(200);
      response.write('started');
    });
    const attempt = await deliver(url, { timeoutMs: 500 });
    expect(attempt).toMatchObject({ delivered: true, status: 200, responseText: 'started' });
  });

  it('keeps the first 1,024 bytes of a body without end and stops reading', async () => {
    let written = 0;
    const { url } = await receiver((request, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!request.socket.destroyed && response.write('x'.repeat(65_536))) written += 65_536;
      };
      response.on('drain', more);
      more();
    });
    const attempt = await deliver(url);
    expect(attempt).toMatchObject({ delivered: true, responseText: 'x'.repeat(1_024) });
    expect(written).toBeLessThan(64 * 1_048_576);
  });

  it('tells a connection that is reset', async () => {
    const { url } = await receiver((request) => request.socket.resetAndDestroy());
    expect(await deliver(url)).toMatchObject({ delivered: false, error: 'connection_lost' });
  });

  it('tells an answer that is not HTTP', async () => {
    const { url } = await receiver((request) => request.socket.end('SSH-2.0-OpenSSH\r\n\r\n'));
    expect(await deliver(url)).toMatchObject({ delivered: false, error: 'response_malformed' });
  });

  it('tells a receiver that is not there', async () => {
    const gone = await startReceiver(accept);
    await gone.close();
    expect(await deliver(gone.url)).toMatchObject({
      delivered: false,
      error: 'connection_refused',
    });
  });

  it('tells a name without an address', async () => {
    const lookup: Lookup = (_hostname, _options, callback) =>
      callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
    expect(await deliver('http://nowhere.example/', { lookup })).toMatchObject({
      delivered: false,
      error: 'name_not_resolved',
    });
  });

  it('tells a bad URL, and throws on a bad secret', async () => {
    expect(await deliver('nonsense')).toMatchObject({ delivered: false, error: 'url_invalid' });
    const sending = deliverer().deliver({ url: 'http://x/', id: 'evt_1', body, secrets: ['pw'] });
    await expect(sending).rejects.toMatchObject({ code: 'secret_invalid' });
  });
});

describe('deliver over TLS', () => {
  const tls = testCertificate();

  it('refuses a certificate that nobody trusted vouches for', async () => {
    const { port, received } = await receiver(accept, tls);
    const attempt = await deliver(`https://localhost:${port}/`);
    expect(attempt).toMatchObject({ delivered: false, error: 'tls_failed' });
    expect(received).toEqual([]);
  });

  it('takes it once it is trusted, for its own name only', async () => {
    const { port, received } = await receiver(accept, tls);
    const certificateAuthorities = [tls.cert];
    expect(await deliver(`https://localhost:${port}/`, { certificateAuthorities })).toMatchObject({
      delivered: true,
    });
    const lookup: Lookup = (_hostname, _options, callback) =>
      callback(null, [{ address: '127.0.0.1', family: 4 }]);
    expect(
      await deliver(`https://other.example:${port}/`, { certificateAuthorities, lookup }),
    ).toMatchObject({ delivered: false, error: 'tls_failed' });
    expect(received).toHaveLength(1);
  });
});

describe('deliver to private targets', () => {
  const tls = testCertificate();
  const strict = { allowPrivateTargets: false, certificateAuthorities: [tls.cert] };

  function answering(...addresses: string[]): Lookup {
    return (_hostname, _options, callback) =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
  }

  it('refuses the real name of the loopback', async () => {
    const { port, received } = await receiver(accept, tls);
    const attempt = await deliver(`https://localhost:${port}/`, strict);
    expect(attempt).toMatchObject({ delivered: false, error: 'target_forbidden' });
    expect(received).toEqual([]);
  });

  it('refuses an address in the URL', async () => {
    const { port, received } = await receiver(accept, tls);
    for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '2130706433']) {
      const attempt = await deliver(`https://${host}:${port}/`, strict);
      expect(attempt).toMatchObject({ delivered: false, error: 'target_forbidden' });
    }
    expect(received).toEqual([]);
  });

  it('refuses a name that hides a private address among public ones', async () => {
    const { port, received } = await receiver(accept, tls);
    for (const lookup of [
      answering('127.0.0.1'),
      answering('93.184.215.14', '127.0.0.1'),
      answering('2606:4700::1', '::ffff:127.0.0.1'),
    ]) {
      const attempt = await deliver(`https://localhost:${port}/`, { ...strict, lookup });
      expect(attempt).toMatchObject({ delivered: false, error: 'target_forbidden' });
    }
    expect(received).toEqual([]);
  });

  it('checks the very answer that it connects to, so a changing name gains nothing', async () => {
    const { port, received } = await receiver(accept, tls);
    // Public, but in a range that was given back and is routed nowhere.
    const answers = ['3ffe::1', '127.0.0.1'];
    let asked = 0;
    const lookup: Lookup = (hostname, options, callback) => {
      answering(answers[asked] ?? '127.0.0.1')(hostname, options, callback);
      asked += 1;
    };
    const sender = deliverer({ ...strict, lookup, timeoutMs: 500 });
    const url = `https://localhost:${port}/`;
    const first = await sender.deliver({ url, id: 'evt_1', body, secrets: [secret] });
    expect(first).toMatchObject({ delivered: false });
    expect(first).not.toMatchObject({ error: 'target_forbidden' });
    expect(asked).toBe(1);
    const second = await sender.deliver({ url, id: 'evt_1', body, secrets: [secret] });
    expect(second).toMatchObject({ delivered: false, error: 'target_forbidden' });
    expect(asked).toBe(2);
    expect(received).toEqual([]);
  });
});
