// The npm client graphql-ws on the socket at /graphql/ws. A browser cannot set headers on a socket, so the token comes
// in the payload of connection_init.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

import { post, socketUrl } from './support.mjs';

const QUERY = '{ loans(first: 3) { nodes { id status } totalCount } }';

/** Unauthorized and Forbidden, in the protocol's own numbers. */
const REFUSED = [4401, 4403];

function makeClient(options) {
  return createClient({ url: socketUrl, webSocketImpl: WebSocket, retryAttempts: 0, ...options });
}

async function firstOf(client, payload) {
  for await (const result of client.iterate(payload)) return result;
  return undefined;
}

test('a query over the socket gives what the same query gives over HTTP', async (context) => {
  const client = makeClient();
  context.after(() => client.dispose());

  const result = await firstOf(client, { query: QUERY });

  assert.equal(result.errors, undefined);
  assert.deepEqual(result.data, (await post(QUERY)).body.data);
});

test('several operations share one socket', async (context) => {
  let sockets = 0;
  const client = makeClient({ lazyCloseTimeout: 1000, on: { connected: () => (sockets += 1) } });
  context.after(() => client.dispose());

  const results = await Promise.all([1, 2, 3].map(() => firstOf(client, { query: QUERY })));

  assert.deepEqual(results[1], results[0]);
  assert.deepEqual(results[2], results[0]);
  assert.equal(sockets, 1);
});

test('a bad query is refused and the socket stays open', async (context) => {
  const client = makeClient({ lazyCloseTimeout: 1000 });
  context.after(() => client.dispose());

  const outcome = await firstOf(client, { query: '{ noSuchField }' }).catch((errors) => ({ errors }));
  assert.ok(outcome.errors.length > 0);
  assert.equal((await firstOf(client, { query: QUERY })).errors, undefined);
});

test('a socket with a token that nobody issued is refused', async (context) => {
  const client = makeClient({ connectionParams: { authorization: 'Bearer nobody.issued.this' } });
  context.after(() => client.dispose());

  const refusal = await firstOf(client, { query: QUERY }).catch((event) => event);

  assert.ok(REFUSED.includes(refusal?.code), `not closed as unauthorized: ${refusal?.code} ${refusal?.reason}`);
});
