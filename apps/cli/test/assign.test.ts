import { expect, test } from 'vitest';
import { assign } from '../src/demo/sign-batch.ts';

const signers = ['alice', 'bob', 'carol'].map((name) => ({
  userId: name,
  name,
  algorithm: 'P-256',
}));
const documents = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ path: `${index}.pdf`, name: `${index}.pdf` }));
const pairs = (count: number) =>
  assign(documents(count), signers).map(({ document, signer }) => [document.name, signer.name]);

test('with fewer documents than signers everybody signs each', () => {
  expect(pairs(1)).toEqual([
    ['0.pdf', 'alice'],
    ['0.pdf', 'bob'],
    ['0.pdf', 'carol'],
  ]);
});

test('otherwise each document gets one signer, in turn', () => {
  expect(pairs(4)).toEqual([
    ['0.pdf', 'alice'],
    ['1.pdf', 'bob'],
    ['2.pdf', 'carol'],
    ['3.pdf', 'alice'],
  ]);
});
