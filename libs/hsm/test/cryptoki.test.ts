import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Cryptoki } from '../src/cryptoki.ts';
import { softHsm, type TestHsm } from './soft-hsm.ts';

describe('a PKCS#11 module', () => {
  let hsm: TestHsm;

  beforeAll(async () => {
    hsm = await softHsm();
    await hsm.initToken('token');
  });
  afterAll(() => hsm.remove());

  const labels = (module: Cryptoki): string[] => module.tokens().map(({ info }) => info.label);

  it('stays open until its last user has closed', () => {
    const one = Cryptoki.open(hsm.modulePath);
    const other = Cryptoki.open(hsm.modulePath);
    one.close();
    one.close();
    expect(labels(other)).toContain('token');
    other.close();
    expect(() => other.tokens()).toThrow('closed');
  });

  it('is not finalized under those who use it by another name', async () => {
    const alias = join(hsm.directory, 'alias.so');
    await symlink(hsm.modulePath, alias);
    const first = Cryptoki.open(hsm.modulePath);
    Cryptoki.open(alias).close();
    expect(labels(first)).toContain('token');
    first.close();
  });
});
