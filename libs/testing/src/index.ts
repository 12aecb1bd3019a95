export { testPki, testPrivateKey, type TestIdentity, type TestPki } from './test-pki.ts';
