import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startLocalStack, type LocalStack } from '../src/demo/local-stack.ts';
import { runCli, type CliRun } from './run-cli.ts';

const invoice = fileURLToPath(new URL('../../../examples/invoice.pdf', import.meta.url));

describe('the commands against a running stack', () => {
  let cwd: string;
  let stack: LocalStack;

  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'signfleet-cli-'));
    stack = await startLocalStack(join(cwd, '.signfleet'), { onStep: () => undefined });
    await answer(['users', 'create', 'Dora Dean', '--external-id', 'dora']);
  }, 120_000);

  afterAll(async () => {
    await stack.close();
    await rm(cwd, { recursive: true });
  });

  const run = (args: string[]): Promise<CliRun> => runCli(args, { cwd });
  const answer = async (args: string[]): Promise<Record<string, unknown>> => {
    const result = await run([...args, '--json']);
    expect(result).toMatchObject({ code: 0 });
    return JSON.parse(result.stdout) as Record<string, unknown>;
  };

  test('a key from an outside CA: request, certificate, signature', async () => {
    const key = await answer(['keys', 'create', 'dora', '--algorithm', 'P-256', '--csr']);
    expect(key).toMatchObject({ state: 'awaiting_certificate' });
    const id = String(key['id']);
    const refused = await run(['submit', invoice, '--user', 'dora', '--watch']);
    expect(refused).toMatchObject({ code: 6 });
    expect(refused.stderr).toContain('invoice.pdf: ');
    const request = await run(['keys', 'csr', id]);
    await writeFile(join(cwd, 'key.csr'), request.stdout);
    const chain = certify();
    await writeFile(join(cwd, 'leaf-only.pem'), chain.leaf);
    const incomplete = await run(['keys', 'certify', id, 'leaf-only.pem']);
    expect(incomplete).toMatchObject({ code: 4 });
    expect(incomplete.stderr).toContain('chain_incomplete');
    await writeFile(join(cwd, 'chain.pem'), chain.leaf + chain.ca);
    await answer(['keys', 'certify', id, 'chain.pem']);
    const [signing] = (await answer([
      'submit',
      invoice,
      '--user',
      'dora',
      '--watch',
    ])) as unknown as [{ id: string }];
    expect(signing).toMatchObject({ state: 'completed', keyId: id, result: { level: 'B-B' } });
    expect(await answer(['status', signing.id])).toMatchObject({ state: 'completed' });
  });

  test('an unsigned document gives an exit code of its own and its reason', async () => {
    await answer(['keys', 'create', 'dora', '--algorithm', 'P-384']);
    await writeFile(join(cwd, 'notes.txt'), 'no PDF');
    const result = await run(['submit', 'notes.txt', '--user', 'dora', '--watch']);
    expect(result.code).toBe(6);
    expect(result.stdout).toContain('not_a_pdf');
  });

  test('the audit log is whole, and a noted head is compared', async () => {
    const { head } = await answer(['audit', 'verify']);
    const { position, hash } = head as { position: number; hash: string };
    expect(position).toBeGreaterThan(3);
    await answer(['audit', 'verify', '--expected-head', `${position}:${hash}`]);
    const other = `${position}:${'0'.repeat(64)}`;
    const forged = await run(['audit', 'verify', '--expected-head', other]);
    expect(forged).toMatchObject({ code: 5 });
    const beyond = await run(['audit', 'verify', '--expected-head', `${position + 1000}:${hash}`]);
    expect(beyond).toMatchObject({ code: 5 });
  });

  test('a second demo neither joins nor resets a stack that is up', async () => {
    for (const reset of [[], ['--reset']]) {
      const second = await run(['demo', invoice, '--exit', ...reset]);
      expect(second).toMatchObject({ code: 7 });
      expect(second.stderr).toContain('local_stack_in_use');
    }
    await answer(['users', 'list']);
  });

  test('hsm status reads the attributes back; a second ceremony is refused', async () => {
    const status = (await answer(['hsm', 'status'])) as unknown as Record<string, unknown>[];
    expect(status).toMatchObject([
      { securityLevel: 'locked', objects: [{ label: 'signfleet-kek' }] },
      { token: { label: 'signfleet-provisioning' } },
    ]);
    const again = await run(['hsm', 'init', '--folder', 'again']);
    expect(again.code).not.toBe(0);
  });

  function certify(): { leaf: string; ca: string } {
    const openssl = (...args: string[]) =>
      execFileSync('openssl', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem'],
      ...['-days', '100', '-subj', '/CN=Outside CA', '-addext'],
      'keyUsage=critical,keyCertSign,cRLSign',
    );
    const extensions =
      'keyUsage=critical,digitalSignature,nonRepudiation\nbasicConstraints=CA:FALSE\n';
    execFileSync('sh', ['-c', 'cat > extensions'], { cwd, input: extensions });
    const leaf = openssl(
      ...['x509', '-req', '-in', 'key.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '50'],
      ...['-CAcreateserial', '-extfile', 'extensions'],
    );
    return { leaf, ca: openssl('x509', '-in', 'ca.pem') };
  }
});
