/**
 * Trusted Types: the only policy that makes script addresses, and only of this origin. Svelte brings its own policy for
 * the templates that it compiled; there is none for HTML made at run time.
 */
interface Policies {
  createPolicy(name: string, rules: { createScriptURL?: (url: string) => string }): unknown;
}

export function startTrustedTypes(): void {
  const types = (globalThis as { trustedTypes?: Policies }).trustedTypes;
  types?.createPolicy("default", {
    createScriptURL: (text) => {
      const url = new URL(text, location.href);
      if (url.origin !== location.origin || url.protocol === "data:")
        throw new TypeError("scripts come from this origin alone");
      return text;
    },
  });
}
