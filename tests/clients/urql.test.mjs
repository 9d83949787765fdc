// urql reads and pages loans, by its own defaults and over POST alone, and is told what is wrong with an application.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { cacheExchange, Client, fetchExchange, gql } from '@urql/core';

import { graphqlUrl } from './support.mjs';

const LOANS = gql`
  query Loans($first: Int!, $after: String) {
    loans(first: $first, after: $after) {
      nodes {
        id
        number
        status
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      totalCount
    }
  }
`;

const CHOICES = gql`
  query Choices {
    borrowers(first: 1) {
      nodes {
        id
      }
    }
    loanProducts(first: 1) {
      nodes {
        id
        currency
      }
    }
  }
`;

const APPLY = gql`
  mutation Apply($input: ApplyForLoanInput!) {
    applyForLoan(input: $input) {
      loan {
        id
      }
      replayed
      userErrors {
        code
        message
        path
      }
    }
  }
`;

function makeClient(options) {
  return new Client({ url: graphqlUrl, exchanges: [cacheExchange, fetchExchange], ...options });
}

async function dataOf(operation) {
  const { data, error } = await operation.toPromise();
  assert.equal(error, undefined);
  return data;
}

async function allLoans(client) {
  const ids = [];
  let after = null;
  for (;;) {
    const { loans } = await dataOf(client.query(LOANS, { first: 50, after }));
    ids.push(...loans.nodes.map(({ id }) => id));
    assert.ok(ids.length <= loans.totalCount, 'more loans than totalCount says');
    if (!loans.pageInfo.hasNextPage) return { ids, totalCount: loans.totalCount };
    after = loans.pageInfo.endCursor;
  }
}

// By default urql sends short queries by GET, which the server allows in development only; elsewhere an application
// sets preferGetMethod to false.
for (const [name, options] of [
  ['as it comes', {}],
  ['over POST alone', { preferGetMethod: false }],
]) {
  test(`urql, ${name}, pages through all loans`, async () => {
    const { ids, totalCount } = await allLoans(makeClient(options));
    assert.ok(totalCount >= 5, 'the server has the demo data');
    assert.equal(new Set(ids).size, totalCount);
    assert.equal(ids.length, totalCount);
  });
}

test('urql is told in userErrors what is wrong with an application, and nothing is written', async () => {
  const client = makeClient({ requestPolicy: 'network-only' });
  const { borrowers, loanProducts } = await dataOf(client.query(CHOICES, {}));
  assert.ok(borrowers.nodes.length > 0 && loanProducts.nodes.length > 0, 'the server has the demo data');
  const before = await allLoans(client);

  const { applyForLoan } = await dataOf(
    client.mutation(APPLY, {
      input: {
        idempotencyKey: randomUUID(),
        borrowerId: borrowers.nodes[0].id,
        productId: loanProducts.nodes[0].id,
        principal: { amount: '0', currency: loanProducts.nodes[0].currency },
      },
    }),
  );

  assert.equal(applyForLoan.loan, null);
  assert.equal(applyForLoan.replayed, false);
  assert.equal(applyForLoan.userErrors.length, 1);
  const [error] = applyForLoan.userErrors;
  assert.match(error.code, /^[A-Z]+(_[A-Z]+)*$/);
  assert.deepEqual(error.path.slice(0, 2), ['input', 'principal']);
  assert.ok(error.message.length > 0);
  assert.equal((await allLoans(client)).totalCount, before.totalCount);
});
