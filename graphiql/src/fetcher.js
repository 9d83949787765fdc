// How the page talks to the server: POST for queries and mutations, the graphql-transport-ws socket for subscriptions,
// both at the origin the page came from.

import { createClient } from 'graphql-ws';
import { getOperationAST } from 'graphql';

const ACCEPT = 'application/graphql-response+json, application/json;q=0.9';

/** Makes GraphiQL's fetcher for the endpoint at `endpoint` (a URL); subscriptions go to `<endpoint>/ws`. */
export function createFetcher(endpoint) {
  const socket = new URL(`${endpoint.pathname}/ws`, endpoint);
  socket.protocol = endpoint.protocol === 'https:' ? 'wss:' : 'ws:';

  return (params, { headers = {}, documentAST } = {}) => {
    const operation = documentAST && getOperationAST(documentAST, params.operationName);
    return operation?.operation === 'subscription'
      ? subscribe(socket, params, headers)
      : post(endpoint, params, headers);
  };
}

async function post(endpoint, params, headers) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { accept: ACCEPT, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(params),
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    // A proxy in between may answer with a page of its own.
    throw new Error(`The server answered ${response.status} without JSON: ${text.slice(0, 200)}`);
  }
}

// A browser cannot set headers on a socket, so they go with `connection_init`, under lower-case names.
async function* subscribe(url, params, headers) {
  const connectionParams = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const client = createClient({ url: url.href, connectionParams, retryAttempts: 0 });
  try {
    yield* client.iterate(params);
  } finally {
    await client.dispose();
  }
}
