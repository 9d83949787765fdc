// What graphql-cop looks for (it is on GitHub only, so its checks are asked for here, each in our own words): none of it
// may be found on a server with production's settings. API_URL_PRODUCTION names that server. A caller with a valid
// token (API_TOKEN_PRODUCTION) gets further than a stranger, so everything is tried as both.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { jsonOf, post } from './support.mjs';

const base = process.env.API_URL_PRODUCTION;
const token = process.env.API_TOKEN_PRODUCTION;
const url = base && new URL('/graphql', base).href;

const repeat = (times, text) => Array.from({ length: times }, (_, index) => text(index)).join(' ');
const data = ({ body }) => body?.data ?? undefined;

/** Each finds out about one weakness: true when the server has it. */
const PROBES = {
  'a hundred aliases of one field': async (send) =>
    data(await send.query(`{ ${repeat(101, (index) => `a${index}: __typename`)} }`)) !== undefined,

  'the same field five hundred times': async (send) =>
    data(await send.query(`{ ${repeat(500, () => '__typename')} }`)) !== undefined,

  // The weakness is work for each of them: an error apiece shows it as well as data does.
  'ten directives on one field, each looked at': async (send) => {
    const { body } = await send.query(`{ __typename ${repeat(10, () => '@aa')} }`);
    return body?.data != null || (body?.errors?.length ?? 0) >= 10;
  },

  'a batch of ten queries': async (send) => {
    const batch = Array.from({ length: 10 }, () => ({ query: '{ __typename }' }));
    const body = await jsonOf(await send.json(batch));
    return Array.isArray(body) || body?.data != null;
  },

  'fragments that spread each other': async (send) => {
    const query = `{ __schema { ...A } } fragment A on __Schema { __typename ...B } fragment B on __Schema { ...A }`;
    return (await send.query(query)).body?.errors === undefined;
  },

  'introspection of the schema': async (send) =>
    data(await send.query('{ __schema { types { name } } }')) !== undefined,

  'introspection of one type': async (send) =>
    data(await send.query('{ __type(name: "Loan") { fields { name } } }')) !== undefined,

  'introspection that goes in circles': async (send) => {
    const query = `{ __schema { types { ${'fields { type { '.repeat(4)} name ${'} } '.repeat(4)} } } }`;
    return data(await send.query(query)) !== undefined;
  },

  'field names suggested to who guesses': async (send) => {
    const guesses = ['{ loanz { id } }', '{ viewer { subjec } }', '{ __schema { directive } }', 'mutation { applyForLoa }'];
    const answers = await Promise.all(guesses.map((guess) => send.query(guess)));
    return answers.some(({ text }) => /did you mean/i.test(text));
  },

  'a query by GET': async (send) => (await jsonOf(await send.get({ query: '{ __typename }' })))?.data != null,

  'a mutation by GET': async (send) => (await jsonOf(await send.get({ query: 'mutation { __typename }' })))?.data != null,

  'a query in a form, which any web page can post': async (send) => {
    const types = ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x'];
    const bodies = [new URLSearchParams({ query: '{ __typename }' }).toString(), JSON.stringify({ query: '{ __typename }' })];
    const tries = types.flatMap((type) => bodies.map((body) => send.raw(type, body)));
    return (await Promise.all(tries)).some((body) => body?.data != null);
  },

  'a query in the address of a POST': async (send) =>
    (await jsonOf(await send.get({ query: '{ __typename }' }, 'POST')))?.data != null,

  'GraphiQL or another explorer': async (send) => {
    const pages = await Promise.all(['/graphql', '/graphiql', '/playground', '/console'].map((path) => send.page(path)));
    return pages.some((text) => /graphiql|playground/i.test(text));
  },

  'traces in the answer': async (send) => {
    const { body, text } = await send.query('{ __typename }');
    return body?.extensions !== undefined || /stacktrace|"tracing"/i.test(text);
  },

  'the inside of the server in an error': async (send) => {
    const { body, text } = await send.query('qwerty cop { abc }');
    const leaks = body?.errors?.some(({ extensions }) => extensions?.exception !== undefined);
    return leaks || /stacktrace|panicked|\.rs:\d/i.test(text);
  },
};

function sender(headers) {
  const json = (payload) =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(payload) });
  return {
    json,
    async query(query) {
      const text = await (await json({ query })).text();
      return { text, body: await jsonOf(new Response(text)) };
    },
    get: (parameters, method = 'GET') => fetch(`${url}?${new URLSearchParams(parameters)}`, { method, headers }),
    async raw(type, body) {
      return jsonOf(await fetch(url, { method: 'POST', headers: { 'content-type': type, ...headers }, body }));
    },
    async page(path) {
      return (await fetch(new URL(path, base), { headers: { accept: 'text/html', ...headers } })).text();
    },
  };
}

const strangers = { skip: base ? false : 'API_URL_PRODUCTION is not set' };
const callers = { skip: base && token ? false : 'API_URL_PRODUCTION or API_TOKEN_PRODUCTION is not set' };
const authorization = { authorization: `Bearer ${token}` };

// Without this, a token that is refused would make every probe below pass.
test('production lets the token in', callers, async () => {
  const { status, body } = await post('{ viewer { subject } }', { url, headers: authorization });
  assert.equal(status, 200);
  assert.ok(body.data.viewer.subject);
});

for (const [weakness, isFound] of Object.entries(PROBES)) {
  test(`production does not have, for a stranger: ${weakness}`, strangers, async () => {
    assert.equal(await isFound(sender({})), false, 'found');
  });
  test(`production does not have, for a caller: ${weakness}`, callers, async () => {
    assert.equal(await isFound(sender(authorization)), false, 'found');
  });
}
