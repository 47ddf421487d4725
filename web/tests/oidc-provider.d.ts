/** What the tests use of `oidc-provider`, which brings no types. */
declare module "oidc-provider" {
  import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

  interface Context {
    req: IncomingMessage;
    res: ServerResponse;
    method: string;
    path: string;
    type: string;
    body: unknown;
    respond?: boolean;
    oidc: {
      client: { clientId: string };
      session: { accountId: string };
      provider: { Grant: new (of: object) => { addOIDCScope(scope: string): void; save(): Promise<string> } };
    };
  }

  export default class Provider {
    constructor(issuer: string, configuration: object);
    use(middleware: (ctx: Context, next: () => Promise<void>) => Promise<void>): void;
    callback(): RequestListener;
    interactionFinished(req: IncomingMessage, res: ServerResponse, result: object): Promise<void>;
  }
  export type { Context };
}
