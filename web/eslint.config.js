import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["dist", "src/lib/api/schema.d.ts", "playwright-report", "test-results", "screenshots"] },
  ...ts.configs.recommended,
  ...svelte.configs["flat/recommended"],
  {
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    rules: {
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "max-lines": ["error", { max: 800 }],
      // Addresses are made by `$lib/route`, not by SvelteKit.
      "svelte/no-navigation-without-resolve": "off",
      // Addresses are read again at each change of the route; the built-in classes are enough.
      "svelte/prefer-svelte-reactivity": "off",
    },
  },
  { files: ["**/*.svelte", "**/*.svelte.ts"], languageOptions: { parserOptions: { parser: ts.parser } } },
  {
    files: ["**/*.svelte"],
    rules: {
      // The content policy refuses style attributes; `style:name` goes through the object model and is fine.
      "svelte/no-at-html-tags": "error",
    },
  },
);
