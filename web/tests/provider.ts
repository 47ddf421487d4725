/** A real provider of OpenID Connect on this machine, whose only screen is a button for each of its people. */
import { createServer, type Server } from "node:http";

import Provider, { type Context } from "oidc-provider";

/** How the next sign-in there is made. */
export interface Mood {
  /** Seconds ago at which the provider says that it happened. */
  ago: number;
}

export interface Running {
  issuer: string;
  mood: Mood;
  stop: () => Promise<void>;
}

const PEOPLE = ["pat", "eve"];

function page(ctx: Context): void {
  const buttons = PEOPLE.map((name) => `<button name="who" value="${name}">Go on as ${name}</button>`).join(" ");
  ctx.type = "html";
  ctx.body = `<!doctype html><html lang="en"><link rel="icon" href="data:," /><title>The city's sign-in</title><h1>The city's sign-in</h1>
    <form method="post">${buttons}</form></html>`;
}

/** Starts it at a port, for these clients of a desk. */
export async function startProvider(port: number, desk: string, clients: string[]): Promise<Running> {
  const issuer = `http://127.0.0.1:${port}`;
  const mood: Mood = { ago: 0 };
  const provider = new Provider(issuer, {
    clients: clients.map((id) => ({
      client_id: id,
      client_secret: `${id}-secret`,
      redirect_uris: [`${desk}/desk/signed-in`],
      response_types: ["code"],
      grant_types: ["authorization_code"],
    })),
    cookies: { keys: ["only for this test"] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/login/${uid}` },
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
    loadExistingGrant: async ({ oidc }: Context) => {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope("openid");
      await grant.save();
      return grant;
    },
  });
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith("/login/")) return next();
    if (ctx.method !== "POST") return page(ctx);
    let sent = "";
    for await (const part of ctx.req) sent += String(part);
    const accountId = new URLSearchParams(sent).get("who") ?? "";
    const ts = Math.floor(Date.now() / 1000) - mood.ago;
    ctx.respond = false;
    await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId, amr: ["pwd"], ts } });
  });
  const server: Server = createServer(provider.callback());
  await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
  const stop = () => new Promise<void>((done) => (server.closeAllConnections(), server.close(() => done())));
  return { issuer, mood, stop };
}
