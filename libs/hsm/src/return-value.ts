import { HsmError, type HsmErrorCode } from './error.ts';

// A token object's handle goes stale when the login ends, hence login_lost for a key's handle.
/** PKCS#11 v3.1 return values (section 5.1) by number: the standard's name and our code. */
const returnValues: Readonly<Record<number, readonly [name: string, code: HsmErrorCode]>> = {
  0x002: ['CKR_HOST_MEMORY', 'out_of_resources'],
  0x003: ['CKR_SLOT_ID_INVALID', 'token_not_present'],
  0x005: ['CKR_GENERAL_ERROR', 'device_error'],
  0x006: ['CKR_FUNCTION_FAILED', 'device_error'],
  0x007: ['CKR_ARGUMENTS_BAD', 'request_rejected'],
  0x010: ['CKR_ATTRIBUTE_READ_ONLY', 'action_prohibited'],
  0x011: ['CKR_ATTRIBUTE_SENSITIVE', 'action_prohibited'],
  0x012: ['CKR_ATTRIBUTE_TYPE_INVALID', 'request_rejected'],
  0x013: ['CKR_ATTRIBUTE_VALUE_INVALID', 'request_rejected'],
  0x01b: ['CKR_ACTION_PROHIBITED', 'action_prohibited'],
  0x020: ['CKR_DATA_INVALID', 'request_rejected'],
  0x021: ['CKR_DATA_LEN_RANGE', 'request_rejected'],
  0x030: ['CKR_DEVICE_ERROR', 'device_error'],
  0x031: ['CKR_DEVICE_MEMORY', 'out_of_resources'],
  0x032: ['CKR_DEVICE_REMOVED', 'token_not_present'],
  0x040: ['CKR_ENCRYPTED_DATA_INVALID', 'request_rejected'],
  0x041: ['CKR_ENCRYPTED_DATA_LEN_RANGE', 'request_rejected'],
  0x050: ['CKR_FUNCTION_CANCELED', 'device_error'],
  0x054: ['CKR_FUNCTION_NOT_SUPPORTED', 'mechanism_unsupported'],
  0x060: ['CKR_KEY_HANDLE_INVALID', 'login_lost'],
  0x062: ['CKR_KEY_SIZE_RANGE', 'mechanism_unsupported'],
  0x063: ['CKR_KEY_TYPE_INCONSISTENT', 'request_rejected'],
  0x068: ['CKR_KEY_FUNCTION_NOT_PERMITTED', 'action_prohibited'],
  0x069: ['CKR_KEY_NOT_WRAPPABLE', 'action_prohibited'],
  0x06a: ['CKR_KEY_UNEXTRACTABLE', 'action_prohibited'],
  0x070: ['CKR_MECHANISM_INVALID', 'mechanism_unsupported'],
  0x071: ['CKR_MECHANISM_PARAM_INVALID', 'mechanism_unsupported'],
  0x082: ['CKR_OBJECT_HANDLE_INVALID', 'session_lost'],
  0x090: ['CKR_OPERATION_ACTIVE', 'session_lost'],
  0x091: ['CKR_OPERATION_NOT_INITIALIZED', 'session_lost'],
  0x0a0: ['CKR_PIN_INCORRECT', 'pin_rejected'],
  0x0a1: ['CKR_PIN_INVALID', 'pin_rejected'],
  0x0a2: ['CKR_PIN_LEN_RANGE', 'pin_rejected'],
  0x0a3: ['CKR_PIN_EXPIRED', 'pin_rejected'],
  0x0a4: ['CKR_PIN_LOCKED', 'pin_rejected'],
  0x0b0: ['CKR_SESSION_CLOSED', 'session_lost'],
  0x0b1: ['CKR_SESSION_COUNT', 'out_of_resources'],
  0x0b3: ['CKR_SESSION_HANDLE_INVALID', 'session_lost'],
  0x0b5: ['CKR_SESSION_READ_ONLY', 'action_prohibited'],
  0x0d0: ['CKR_TEMPLATE_INCOMPLETE', 'template_rejected'],
  0x0d1: ['CKR_TEMPLATE_INCONSISTENT', 'template_rejected'],
  0x0e0: ['CKR_TOKEN_NOT_PRESENT', 'token_not_present'],
  0x0e1: ['CKR_TOKEN_NOT_RECOGNIZED', 'token_not_present'],
  0x0e2: ['CKR_TOKEN_WRITE_PROTECTED', 'action_prohibited'],
  0x0f0: ['CKR_UNWRAPPING_KEY_HANDLE_INVALID', 'login_lost'],
  0x0f1: ['CKR_UNWRAPPING_KEY_SIZE_RANGE', 'mechanism_unsupported'],
  0x0f2: ['CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT', 'mechanism_unsupported'],
  0x101: ['CKR_USER_NOT_LOGGED_IN', 'login_lost'],
  0x102: ['CKR_USER_PIN_NOT_INITIALIZED', 'pin_rejected'],
  0x110: ['CKR_WRAPPED_KEY_INVALID', 'request_rejected'],
  0x112: ['CKR_WRAPPED_KEY_LEN_RANGE', 'request_rejected'],
  0x113: ['CKR_WRAPPING_KEY_HANDLE_INVALID', 'login_lost'],
  0x114: ['CKR_WRAPPING_KEY_SIZE_RANGE', 'mechanism_unsupported'],
  0x115: ['CKR_WRAPPING_KEY_TYPE_INCONSISTENT', 'mechanism_unsupported'],
  0x150: ['CKR_BUFFER_TOO_SMALL', 'request_rejected'],
  0x190: ['CKR_CRYPTOKI_NOT_INITIALIZED', 'token_not_present'],
  0x200: ['CKR_FUNCTION_REJECTED', 'action_prohibited'],
};

/** Return values that code looks for. */
export const CKR = {
  ok: 0,
  userAlreadyLoggedIn: 0x100,
  cryptokiAlreadyInitialized: 0x191,
  templateInconsistent: 'CKR_TEMPLATE_INCONSISTENT',
  sessionReadOnly: 'CKR_SESSION_READ_ONLY',
} as const;

/** The typed error for a return value other than CKR_OK. Unknown ones count as a fault of the device. */
export function returnValueError(call: string, returnValue: number, cause?: unknown): HsmError {
  const [name, code] = returnValues[returnValue] ?? [
    `0x${returnValue.toString(16)}`,
    'device_error',
  ];
  return new HsmError(code, `${call}: ${name}`, { cause, details: { call, returnValue: name } });
}

/** Reads the return value out of whatever pkcs11js throws, or undefined if the HSM was never asked. */
export function findReturnValue(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'number' && error.code > 0) return error.code;
  const text = /CKR_\w+:(\d+)/.exec(error.message)?.[1];
  return text === undefined ? undefined : Number(text);
}
