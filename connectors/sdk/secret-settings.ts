// Which settings of text are secret, and texts without the secrets that stand in them. Pure.
//
// A setting is secret when its parameter says so, or when its name says so in one of the usual words. Of a URL or a connection string
// the password is.

export const mask = '***';

/** Anywhere in a name, whose separators are left out: `saslPassword`, `secret.name`, `auth_token`. */
const secretPart = /password|passwd|passphrase|secret|token|credential/i;
/** At the end of one. A `key` is more often that of a record. */
const secretKey = /(?:^|api|access|private|client|account|shared|encryption|signing|auth)key$/i;
/** Names that tell how many or of which kind. */
const harmless =
  /(?:maxtokens|tokens?(?:count|max|limit)|keyid|(?:password|token|secret)(?:length|type|url|file|path))$/i;
export const urlPassword: RegExp = /\b([a-z][a-z0-9+.-]*:\/\/[^/?#\s:@]*):([^/?#\s@]+)@/gi;
export const namedPassword: RegExp = /\b((?:ssl|sasl)?(?:password|passwd|secret|token|api_?key)=)([^&;,\s"']+)/gi;

/** Shorter ones stand in too many texts by chance. */
const secretLengthMin = 4;

/** `declared`: what the plugin says; undefined when nothing is known of it. */
export function isSecret(name: string, declared?: boolean): boolean {
  if (declared === true) return true;
  const plain = name.replaceAll(/[._\-/]/g, '');
  return !harmless.test(plain) && (secretPart.test(plain) || secretKey.test(plain));
}

/** The values that may not be seen, the longest first. */
export function secretValues(settings: Readonly<Record<string, string>>): readonly string[] {
  const values = new Set<string>();
  for (const [name, value] of Object.entries(settings)) {
    if (isSecret(name)) values.add(value);
    for (const pattern of [urlPassword, namedPassword]) {
      for (const [, , password = ''] of value.matchAll(pattern)) values.add(password);
    }
  }
  return [...values].filter(({ length }) => length >= secretLengthMin).sort((a, b) => b.length - a.length);
}

export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let masked = text;
  for (const secret of secrets) masked = masked.replaceAll(secret, mask);
  return masked;
}
