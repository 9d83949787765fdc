// Runs every client test against the given binary: `node run.mjs path/to/branch-loan-api`. It fills a temporary SQLite
// file with demo data and starts one server with development's settings and one with production's; a test that needs a
// server of its own starts it. Nothing is left behind but, on failure, the servers' logs.

import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { BARE_ENVIRONMENT, exitOf, startServer, stopServer } from './servers.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));

async function mustSucceed(what, command, args, options) {
  const outcome = await exitOf(spawn(command, args, { stdio: 'inherit', ...options }));
  if (outcome !== 0) throw new Error(`${what} ended with ${outcome}`);
}

/** An issuer of tokens, as production wants one: its settings, and a token of an administrator. */
async function makeIssuer(folder) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const jwks = join(folder, 'jwks.json');
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'clients', alg: 'EdDSA', use: 'sig' };
  await writeFile(jwks, JSON.stringify({ keys: [key] }));

  const issuer = 'https://issuer.invalid/';
  const audience = 'branch-loan-api';
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: audience, sub: 'client-tests', iat: now, exp: now + 3600, roles: ['ADMIN'], branches: ['*'] };
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'EdDSA', typ: 'JWT', kid: key.kid })}.${encode(claims)}`;
  return {
    token: `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`,
    settings: { AUTH_MODE: 'jwt', AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, AUTH_JWKS_FILE: jwks },
  };
}

/** Runs the tests in a process of their own and counts them by the runner's closing lines. */
async function runTests(environment) {
  const files = (await readdir(HERE)).filter((name) => name.endsWith('.test.mjs')).sort();
  const child = spawn(process.execPath, ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files], {
    cwd: HERE,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    process.stdout.write(text);
  });
  const outcome = await exitOf(child);
  const count = (name) => Number([...output.matchAll(new RegExp(`^. ${name} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? 0);
  const counts = { passed: count('pass'), failed: count('fail') + count('cancelled'), skipped: count('skipped') };
  // A runner that died has counted nothing.
  if (outcome !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

async function main(binary) {
  if (!existsSync(join(HERE, 'node_modules'))) {
    await mustSucceed('npm ci', process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci'], { cwd: HERE });
  }
  const folder = await mkdtemp(join(tmpdir(), 'branch-loan-api-clients-'));
  const servers = [];
  let counts;
  let failure;
  try {
    const development = { APP_ENV: 'development', DATABASE_URL: `sqlite://${join(folder, 'development.db')}?mode=rwc` };
    const environment = { ...BARE_ENVIRONMENT, ...development };
    await mustSucceed('demo', binary, ['demo', '--loans', '200', '--seed', '1'], { cwd: folder, env: environment });
    servers.push(await startServer(binary, 'development', folder, development));

    const issuer = await makeIssuer(folder);
    const production = {
      APP_ENV: 'production',
      DATABASE_URL: `sqlite://${join(folder, 'production.db')}?mode=rwc`,
      MIGRATE_ON_START: 'on',
      PII_KEY: randomBytes(32).toString('base64'),
      ...issuer.settings,
    };
    servers.push(await startServer(binary, 'production', folder, production));

    counts = await runTests({
      API_URL: servers[0].url,
      API_URL_PRODUCTION: servers[1].url,
      API_TOKEN_PRODUCTION: issuer.token,
      API_BINARY: binary,
    });
  } catch (error) {
    failure = error;
  }
  for (const server of servers) {
    await stopServer(server).catch((error) => (failure ??= error));
  }
  if (failure) console.error(failure.message);
  const good = !failure && counts.failed === 0 && counts.passed > 0;
  if (good) await rm(folder, { recursive: true, force: true });
  else console.error(`The servers' logs are in ${folder}`);

  const { passed = 0, failed = 0, skipped = 0 } = counts ?? {};
  console.log(`clients: ${passed} passed, ${failed + (failure ? 1 : 0)} failed, ${skipped} skipped`);
  return good ? 0 : 1;
}

const [path] = process.argv.slice(2);
if (!path || !existsSync(path)) {
  console.error('Usage: node run.mjs path/to/branch-loan-api (build it first: cargo build)');
  process.exit(2);
}
process.exit(await main(resolve(path)));
