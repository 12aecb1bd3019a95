export { hsmSigner, type HsmSignerOptions } from './hsm-signer.ts';
