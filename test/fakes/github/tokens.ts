/** Credentials: classic and fine-grained tokens of users, an App's own signature, and the tokens of its installations. */
import { createVerify, generateKeyPairSync } from 'node:crypto';
import { type Account, type App, type Installation, type Permissions, Refusal, type World } from './state.ts';

/** Scopes of a classic token as far as anything here asks for them. */
export type Scope = 'repo' | 'public_repo' | 'repo:status' | 'repo_deployment' | 'read:org';

/** Who asks, by what kind of credential. */
export type Credential =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'classic'; readonly user: Account; readonly scopes: readonly Scope[] }
  | {
      readonly kind: 'fine-grained';
      readonly user: Account;
      readonly permissions: Permissions;
      /** Ids; null: all that the user has. */
      readonly repositoryIds: readonly number[] | null;
    }
  | { readonly kind: 'app'; readonly app: App }
  | {
      readonly kind: 'installation';
      readonly app: App;
      readonly installation: Installation;
      readonly permissions: Permissions;
      readonly repositoryIds: readonly number[] | null;
      readonly expiresAtMs: number;
    };

/** An installation token is good for an hour. */
const TOKEN_MS = 3_600_000;
/** GitHub takes no longer signatures of an App. */
const JWT_SECONDS = 600;
const CLOCK_SECONDS = 60;

export type Tokens = ReturnType<typeof createTokens>;

export function createTokens(world: World) {
  const known = new Map<string, Credential>();

  function mint(prefix: string, credential: Credential): string {
    const token = `${prefix}_${String(world.nextId()).padStart(36, 'T')}`;
    known.set(token, credential);
    return token;
  }

  return {
    classic: (user: Account, scopes: readonly Scope[]) => mint('ghp', { kind: 'classic', user, scopes }),

    fineGrained: (user: Account, permissions: Permissions, repositoryIds: readonly number[] | null) =>
      mint('github_pat', { kind: 'fine-grained', user, permissions, repositoryIds }),

    /** At most what the installation has. */
    installation(args: {
      app: App;
      installation: Installation;
      permissions?: Permissions;
      repositoryIds?: readonly number[];
    }) {
      const { app, installation, permissions = installation.permissions } = args;
      for (const [name, level] of Object.entries(permissions)) {
        const given = installation.permissions[name];
        if (given === undefined || (given === 'read' && level === 'write'))
          throw new Refusal(422, 'The permissions requested are not granted to this installation.');
      }
      const repositoryIds = args.repositoryIds ?? installation.repositoryIds;
      const expiresAtMs = world.nowMs() + TOKEN_MS;
      const token = mint('ghs', { kind: 'installation', app, installation, permissions, repositoryIds, expiresAtMs });
      return { token, expiresAtMs, permissions, repositoryIds };
    },

    revoke: (token: string) => void known.delete(token),

    /** Of `Authorization: token X`, `Bearer X`, or Basic with X as the password, as git sends it. @throws 401 */
    of(header: string | undefined): Credential {
      if (header === undefined) return { kind: 'anonymous' };
      const [scheme = '', value = ''] = header.split(' ');
      const token =
        scheme.toLowerCase() === 'basic'
          ? Buffer.from(value, 'base64').toString().split(':').slice(1).join(':')
          : value;
      const found = known.get(token) ?? appOf(world, token);
      const expired = found?.kind === 'installation' && found.expiresAtMs <= world.nowMs();
      if (found === null || expired) throw new Refusal(401, 'Bad credentials');
      return found;
    },
  };
}

/** The App that signed this JSON Web Token (RS256); null: it is none. @throws 401 for one that is not good now */
function appOf(world: World, token: string): Credential | null {
  const [head, body, signature] = token.split('.');
  if (head === undefined || body === undefined || signature === undefined) return null;
  const claims = claimsOf(body);
  const app = world.apps.find((it) => String(it.id) === String(claims.iss));
  if (app === undefined) throw new Refusal(401, 'A JSON web token could not be decoded');
  const good = createVerify('RSA-SHA256')
    .update(`${head}.${body}`)
    .verify(app.publicKey, Buffer.from(signature, 'base64url'));
  if (!good) throw new Refusal(401, 'A JSON web token could not be decoded');
  const nowSeconds = world.nowMs() / 1000;
  if (claims.exp <= nowSeconds)
    throw new Refusal(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  if (claims.exp > nowSeconds + JWT_SECONDS + CLOCK_SECONDS)
    throw new Refusal(401, "'Expiration time' claim ('exp') is too far in the future");
  if (claims.iat > nowSeconds + CLOCK_SECONDS)
    throw new Refusal(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    );
  return { kind: 'app', app };
}

function claimsOf(body: string): { iss: number | string; iat: number; exp: number } {
  try {
    return JSON.parse(Buffer.from(body, 'base64url').toString()) as ReturnType<typeof claimsOf>;
  } catch {
    throw new Refusal(401, 'A JSON web token could not be decoded');
  }
}

/** A new App with a key of its own and its bot user. */
export function createApp(world: World, slug: string): App {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const app = {
    id: world.nextId(),
    slug,
    bot: world.addAccount(`${slug}[bot]`, 'Bot'),
    publicKey,
    privateKey,
    installations: [],
  };
  world.apps.push(app);
  return app;
}

/** Who a credential acts as; null: nobody. */
export function actorOf(credential: Credential): Account | null {
  if (credential.kind === 'anonymous') return null;
  return credential.kind === 'classic' || credential.kind === 'fine-grained' ? credential.user : credential.app.bot;
}
