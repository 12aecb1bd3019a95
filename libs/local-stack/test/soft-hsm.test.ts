import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSoftHsm } from '../src/index.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signfleet-softhsm-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

test('initializes tokens in a folder of its own, once each', async () => {
  const hsm = await createSoftHsm({ directory });
  expect(await hsm.tokenLabels()).toEqual([]);
  await hsm.initToken({ label: 'signing key', soPin: '12345678', pin: 'abcd1234' });
  await hsm.initToken({ label: 'provisioning', soPin: '12345678', pin: 'efgh5678' });
  const again = await createSoftHsm({ directory });
  expect((await again.tokenLabels()).sort()).toEqual(['provisioning', 'signing key']);
  const repeated = again.initToken({ label: 'provisioning', soPin: '12345678', pin: 'x1234' });
  await expect(repeated).rejects.toMatchObject({ code: 'token_exists' });
});

test('tells what softhsm2-util complains about', async () => {
  const hsm = await createSoftHsm({ directory });
  const init = hsm.initToken({ label: 'short', soPin: '1', pin: '1' });
  await expect(init).rejects.toMatchObject({ code: 'command_failed' });
});

test('keeps the tokens from other accounts', async () => {
  const hsm = await createSoftHsm({ directory });
  expect((await stat(join(directory, 'tokens'))).mode & 0o077).toBe(0);
  expect((await stat(hsm.configPath)).mode & 0o077).toBe(0);
});
