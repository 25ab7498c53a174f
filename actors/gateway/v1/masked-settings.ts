// Which settings are secret, how they are shown, and what a mask means that is written back: unchanged.
//
// A setting is secret when its parameter says so, when its name says so in one of the usual words, or when it is a URL or a
// connection string with a password in it, which alone is masked then. Everything else is shown as it stands.
import { isSecret, mask, namedPassword, urlPassword } from '../../../connectors/sdk/secret-settings.ts';

export type Settings = Readonly<Record<string, string>>;

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
