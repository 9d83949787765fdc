// Servers under test as processes: how they are started, waited for and stopped.

import { spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';

const STARTS_WITHIN = 60_000;
const STOPS_WITHIN = 20_000;

/** Only what a program needs to run: settings of the shell it is called from must not reach the server. */
export const BARE_ENVIRONMENT = Object.fromEntries(
  ['PATH', 'HOME', 'TMPDIR', 'LANG', 'SystemRoot'].flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
);

export function freePort() {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

export function exitOf(child) {
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('exit', (code, signal) => done(code ?? signal));
  });
}

/** A server in the background that is ready: its address and how to stop it. */
export async function startServer(binary, name, folder, settings) {
  const server = await launchServer(binary, name, folder, settings);
  try {
    await ready(server);
  } catch (error) {
    await stopServer(server).catch(() => {});
    throw error;
  }
  return server;
}

/** The same without waiting until it is ready. */
export async function launchServer(binary, name, folder, settings) {
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
  return server;
}

/** Waits until an answer of the server satisfies; by default, that it is ready. */
export async function ready(server, path = '/readyz', satisfies = (response) => response.ok) {
  const end = Date.now() + STARTS_WITHIN;
  while (Date.now() < end) {
    if (server.ended !== undefined) break;
    const response = await fetch(`${server.url}${path}`).catch(() => undefined);
    if (response && satisfies(response)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  const why = server.ended === undefined ? 'is not ready in time' : `ended with ${server.ended}`;
  throw new Error(`the ${server.name} server ${why}:\n${await readFile(server.log, 'utf8')}`);
}

/** Asks the server to stop, and makes sure that it does; throws when it had to be forced or failed on the way out. */
export async function stopServer(server) {
  if (server.ended === undefined) server.child.kill('SIGTERM');
  const late = setTimeout(() => server.child.kill('SIGKILL'), STOPS_WITHIN);
  const outcome = await server.exit.finally(() => clearTimeout(late));
  if (outcome !== 0) throw new Error(`the ${server.name} server ended with ${outcome}`);
}
