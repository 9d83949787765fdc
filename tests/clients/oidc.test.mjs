// A real OpenID provider, the npm package oidc-provider, whose tokens the server checks with keys that it fetches by
// itself: under load while the keys change, while the provider is down, and when the server was there first.
//
// Two providers behind one address, with the same issuer and one more key, are how a provider changes its keys.

import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import Provider from 'oidc-provider';

import { freePort, launchServer, ready, startServer, stopServer } from './servers.mjs';
import { post } from './support.mjs';

const BINARY = process.env.API_BINARY;
const skip = BINARY ? false : 'API_BINARY is not set';

const AUDIENCE = 'branch-loan-api';
const RESOURCE = 'https://api.example/loans';
const OTHER_RESOURCE = 'https://api.example/else';
const BRANCHES_CLAIM = 'https://api.example/branches';
const SECRET = randomBytes(32).toString('hex');
const CLIENTS = { officer: ['OFFICER'], administrator: ['ADMIN', 'offline_access'], nobody: ['offline_access'] };
const VIEWER = '{ viewer { subject roles allBranches branchCodes } }';

/** The server asks again for unknown keys after ten seconds (`Pace::floor` in src/auth/keys/issuer.rs). */
const FLOOR = 10_000;

function makeKey(kid, alg) {
  const { privateKey } = {
    RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: () => generateKeyPairSync('ed25519'),
  }[alg]();
  return { ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

/** A provider that signs access tokens with the first key and publishes all of them. */
function makeProvider(issuer, keys) {
  const server = (audience) => ({
    scope: '',
    audience,
    accessTokenFormat: 'jwt',
    accessTokenTTL: 600,
    jwt: { sign: { alg: keys[0].alg, kid: keys[0].kid } },
  });
  return new Provider(issuer, {
    clients: Object.keys(CLIENTS).map((client_id) => ({
      client_id,
      client_secret: SECRET,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    })),
    cookies: { keys: [SECRET] },
    ttl: { ClientCredentials: 600 },
    jwks: { keys },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        getResourceServerInfo: (_, resource) => server(resource === RESOURCE ? AUDIENCE : 'another-api'),
      },
    },
    extraTokenClaims: (_, token) => ({
      realm_access: { roles: CLIENTS[token.clientId] },
      [BRANCHES_CLAIM]: token.clientId === 'administrator' ? ['*'] : ['NBO'],
    }),
  });
}

/** A provider at one address that can change its keys, stop and come back. */
class Issuer {
  static async at(port, keys) {
    const issuer = new Issuer();
    issuer.port = port;
    issuer.url = `http://127.0.0.1:${port}`;
    issuer.sign(keys);
    return issuer;
  }

  sign(keys) {
    this.handle = makeProvider(this.url, keys).callback();
  }

  start() {
    this.server = createServer((request, response) => this.handle(request, response));
    return new Promise((done, failed) => this.server.once('error', failed).listen(this.port, '127.0.0.1', done));
  }

  async stop() {
    const { server } = this;
    this.server = undefined;
    if (!server) return;
    const closed = new Promise((done) => server.close(done));
    server.closeAllConnections();
    await closed;
  }

  async discover() {
    return (await fetch(`${this.url}/.well-known/openid-configuration`)).json();
  }

  async token(client, resource) {
    const response = await fetch(`${this.url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${client}:${SECRET}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...(resource && { resource }) }),
    });
    const body = await response.json();
    assert.equal(response.status, 200, JSON.stringify(body));
    return body.access_token;
  }
}

const kidOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid;

function ask(server, token) {
  return post(VIEWER, { url: `${server.url}/graphql`, headers: token ? { authorization: `Bearer ${token}` } : {} });
}

let folder;
let issuer;
let settings;
let server;
const keys = [];

before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), 'branch-loan-api-oidc-'));
  keys.push(makeKey('first', 'RS256'));
  issuer = await Issuer.at(await freePort(), keys);
  await issuer.start();
  const discovered = await issuer.discover();
  settings = (name) => ({
    APP_ENV: 'production',
    DATABASE_URL: `sqlite://${join(folder, `${name}.db`)}?mode=rwc`,
    MIGRATE_ON_START: 'on',
    PII_KEY: randomBytes(32).toString('base64'),
    SHUTDOWN_DRAIN_MS: '0',
    RATE_PER_SECOND: '100000',
    RATE_BURST: '100000',
    AUTH_ISSUER: discovered.issuer,
    AUTH_AUDIENCE: AUDIENCE,
    AUTH_JWKS_URL: discovered.jwks_uri,
    AUTH_ROLES_CLAIM: 'realm_access.roles',
    AUTH_BRANCHES_CLAIM: BRANCHES_CLAIM,
  });
  server = await startServer(BINARY, 'oidc', folder, settings('oidc'));
});

after(async () => {
  if (skip) return;
  await issuer.stop();
  await stopServer(server);
  await rm(folder, { recursive: true, force: true });
});

test("a provider's token is who it says, with roles and branches where the settings look for them", { skip }, async () => {
  const officer = await ask(server, await issuer.token('officer'));
  assert.deepEqual(officer, {
    status: 200,
    body: { data: { viewer: { subject: 'officer', roles: ['OFFICER'], allBranches: false, branchCodes: ['NBO'] } } },
  });
  const administrator = await ask(server, await issuer.token('administrator'));
  assert.deepEqual(administrator.body.data.viewer, {
    subject: 'administrator', roles: ['ADMIN'], allBranches: true, branchCodes: [],
  });
});

test('tokens for somebody else, without a role here, or changed on the way are refused', { skip }, async () => {
  const good = await issuer.token('officer');
  const [header, payload, signature] = good.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url'));
  const promoted = Buffer.from(JSON.stringify({ ...claims, realm_access: { roles: ['ADMIN'] } })).toString('base64url');
  for (const [what, token] of [
    ['for another API', await issuer.token('officer', OTHER_RESOURCE)],
    ['without a role here', await issuer.token('nobody')],
    ['promoted', `${header}.${promoted}.${signature}`],
    ['without a signature', `${header}.${payload}.`],
    ['none', undefined],
  ]) {
    const { status, body } = await ask(server, token);
    assert.deepEqual([status, body.errors[0].extensions.code], [401, 'UNAUTHENTICATED'], what);
  }
  assert.equal((await ask(server, good)).status, 200);
});

/** Clients that each use a token for a few requests and then fetch another, until told to stop. */
function makeLoad(clients) {
  const load = { sent: 0, failures: [], kids: new Map(), going: true };
  const client = async () => {
    while (load.going) {
      const token = await issuer.token('officer');
      for (let uses = 0; uses < 5; uses += 1) {
        const { status, body } = await ask(server, token);
        load.sent += 1;
        if (status === 200 && body.data?.viewer.subject === 'officer') {
          load.kids.set(kidOf(token), (load.kids.get(kidOf(token)) ?? 0) + 1);
        } else {
          load.failures.push([status, kidOf(token), JSON.stringify(body)]);
        }
      }
    }
  };
  load.ended = Promise.all(Array.from({ length: clients }, client));
  load.seen = async (kid, times) => {
    const end = Date.now() + 60_000;
    while ((load.kids.get(kid) ?? 0) < times && Date.now() < end && load.failures.length === 0) await pause(20);
  };
  return load;
}

test('keys change twice under load and no good request fails', { skip, timeout: 180_000 }, async (context) => {
  const load = makeLoad(8);
  await load.seen('first', 40);
  for (const [kid, alg] of [['second', 'ES256'], ['third', 'EdDSA']]) {
    // A provider that gives no notice: it signs with the new key from the moment it publishes it.
    keys.unshift(makeKey(kid, alg));
    issuer.sign(keys);
    await load.seen(kid, 40);
    await pause(FLOOR + 500);
  }
  load.going = false;
  await load.ended;
  context.diagnostic(`${load.sent} requests, by key: ${JSON.stringify(Object.fromEntries(load.kids))}`);
  assert.deepEqual(load.failures, []);
  assert.deepEqual([...load.kids.keys()], ['first', 'second', 'third']);
});

test('a key that the provider withdraws is refused once the server has looked', { skip }, async () => {
  const [third, second, first] = keys;
  issuer.sign([first, second, third]);
  const withdrawn = await issuer.token('officer');
  assert.equal(kidOf(withdrawn), 'first');
  assert.equal((await ask(server, withdrawn)).status, 200);
  keys.splice(0, 3, makeKey('fourth', 'RS256'), third, second);
  issuer.sign(keys);
  assert.equal((await ask(server, await issuer.token('officer'))).status, 200);
  assert.equal((await ask(server, withdrawn)).status, 401);
});

test('while the provider is down, good requests go on', { skip }, async () => {
  const tokens = await Promise.all(Array.from({ length: 8 }, () => issuer.token('officer')));
  await issuer.stop();
  const answers = await Promise.all(
    tokens.flatMap((token) => Array.from({ length: 50 }, () => ask(server, token))),
  );
  assert.deepEqual(answers.filter(({ status }) => status !== 200), []);
  assert.equal((await fetch(`${server.url}/readyz`)).status, 200);

  await issuer.start();
  assert.equal((await ask(server, await issuer.token('officer'))).status, 200);
});

test('a server that starts while the provider is down is ready when it is up', { skip, timeout: 180_000 }, async (context) => {
  const token = await issuer.token('officer');
  await issuer.stop();
  const early = await launchServer(BINARY, 'early', folder, settings('early'));
  context.after(() => stopServer(early));
  await ready(early, '/livez');
  const waiting = await fetch(`${early.url}/readyz`);
  assert.deepEqual([waiting.status, (await waiting.json()).failing], [503, ['issuer-keys']]);
  const { status, body } = await ask(early, token);
  assert.deepEqual([status, body.errors[0].extensions.code, body.errors[0].extensions.retryable], [503, 'UNAVAILABLE', true]);
  assert.equal((await ask(early, undefined)).status, 401);

  await issuer.start();
  await ready(early);
  assert.equal((await ask(early, token)).status, 200);
});
