// Which settings are secret, how they are shown, and what a mask means that is written back: unchanged.
//
// A setting is secret when its parameter says so, when its name says so in one of the usual words, or when it is a URL or a
// connection string with a password in it, which alone is masked then. Everything else is shown as it stands.

export const mask = '***';

export type Settings = Readonly<Record<string, string>>;

/** Anywhere in a name, whose separators are left out: `saslPassword`, `secret.name`, `auth_token`. */
const secretPart = /password|passwd|passphrase|secret|token|credential/i;
/** At the end of one. A `key` is more often that of a record. */
const secretKey = /(?:^|api|access|private|client|account|shared|encryption|signing|auth)key$/i;
/** Names that tell how many or of which kind. */
const harmless =
  /(?:maxtokens|tokens?(?:count|max|limit)|keyid|(?:password|token|secret)(?:length|type|url|file|path))$/i;
const urlPassword = /\b([a-z][a-z0-9+.-]*:\/\/[^/?#\s:@]*):([^/?#\s@]+)@/gi;
const namedPassword = /\b((?:ssl|sasl)?(?:password|passwd|secret|token|api_?key)=)([^&;,\s"']+)/gi;

/** `declared`: what the plugin says; undefined when nothing is known of it. */
export function isSecret(name: string, declared?: boolean): boolean {
  if (declared === true) return true;
  const plain = name.replaceAll(/[._\-/]/g, '');
  return !harmless.test(plain) && (secretPart.test(plain) || secretKey.test(plain));
}

export function maskSettings(settings: Settings, isDeclaredSecret: (name: string) => boolean = () => false): Settings {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      if (value === '') return [name, value];
      if (isSecret(name, isDeclaredSecret(name))) return [name, mask];
      return [name, value.replaceAll(urlPassword, `$1:${mask}@`).replaceAll(namedPassword, `$1${mask}`)];
    }),
  );
}

/** What is stored when `given` is written over `before`: a value that is shown as `given` shows it has not been changed. */
export function unmaskSettings(
  given: Settings,
  before: Settings,
  isDeclaredSecret: (name: string) => boolean = () => false,
): Settings {
  const shown = maskSettings(before, isDeclaredSecret);
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const old = before[name];
      return [name, old !== undefined && value.includes(mask) && value === shown[name] ? old : value];
    }),
  );
}
