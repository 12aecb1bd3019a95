export { localHsm, type LocalHsm, type LocalToken } from './local-hsm.ts';
export { testPki, testPrivateKey, type TestIdentity, type TestPki } from './test-pki.ts';
