// What the client tests share: where the server is, and a request without any client in between.

/** The server under test; `run.mjs` starts one, or start your own and name it. */
export const apiUrl = new URL(process.env.API_URL ?? 'http://127.0.0.1:8000');

export const graphqlUrl = new URL('/graphql', apiUrl).href;

export const socketUrl = (() => {
  const url = new URL('/graphql/ws', apiUrl);
  url.protocol = apiUrl.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
})();

/** POSTs one GraphQL request as any program would. */
export async function post(query, { variables, url = graphqlUrl, headers = {} } = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return { status: response.status, body: await jsonOf(response) };
}

/** The answer as JSON; `undefined` when it is something else. */
export async function jsonOf(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
