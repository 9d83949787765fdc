// Runs every client test against the given binary: `node run.mjs path/to/branch-loan-api`. It fills a temporary SQLite
// file with demo data and starts one server with development's settings and one with production's. Nothing is left
// behind but, on failure, the servers' logs.

import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const STARTS_WITHIN = 60_000;
const STOPS_WITHIN = 20_000;

/** Only what a program needs to run: settings of the shell it is called from must not reach the server. */
const BARE_ENVIRONMENT = Object.fromEntries(
  ['PATH', 'HOME', 'TMPDIR', 'LANG', 'SystemRoot'].flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
);

function freePort() {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

function exitOf(child) {
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('exit', (code, signal) => done(code ?? signal));
  });
}

async function mustSucceed(what, command, args, options) {
  const outcome = await exitOf(spawn(command, args, { stdio: 'inherit', ...options }));
  if (outcome !== 0) throw new Error(`${what} ended with ${outcome}`);
}

/** A server in the background: its address and how to stop it. */
async function startServer(binary, name, folder, settings) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const log = join(folder, `${name}.log`);
  const output = await open(log, 'w');
  const child = spawn(binary, ['serve'], {
    cwd: folder,
    env: { ...BARE_ENVIRONMENT, ...settings, API_HOST: '127.0.0.1', API_PORT: String(port) },
    stdio: ['ignore', output.fd, output.fd],
  });
  await output.close();
  const server = { name, url, log, child, exit: exitOf(child), ended: undefined };
  server.exit.then(
    (outcome) => (server.ended = outcome),
    (error) => (server.ended = error.message),
  );
  try {
    await ready(server);
  } catch (error) {
    await stopServer(server).catch(() => {});
    throw error;
  }
  return server;
}

async function ready(server) {
  const end = Date.now() + STARTS_WITHIN;
  while (Date.now() < end) {
    if (server.ended !== undefined) break;
    const response = await fetch(`${server.url}/readyz`).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  const why = server.ended === undefined ? 'is not ready in time' : `ended with ${server.ended}`;
  throw new Error(`the ${server.name} server ${why}:\n${await readFile(server.log, 'utf8')}`);
}

/** Asks the server to stop, and makes sure that it does; throws when it had to be forced or failed on the way out. */
async function stopServer(server) {
  if (server.ended === undefined) server.child.kill('SIGTERM');
  const late = setTimeout(() => server.child.kill('SIGKILL'), STOPS_WITHIN);
  const outcome = await server.exit.finally(() => clearTimeout(late));
  if (outcome !== 0) throw new Error(`the ${server.name} server ended with ${outcome}`);
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
