// The tabs a first visitor finds. They fit the data of `branch-loan-api demo`. The first has no variables: GraphiQL 4
// does not show those of the tab it opens with.

const firstLoans = {
  query: `# Welcome. Ctrl-Enter runs the query,
# Ctrl-Space completes, the book on the left
# documents every field.
#
# Without a token, a server in development takes
# you for an administrator. To be someone else, put
#   { "Authorization": "Bearer <token>" }
# under Headers below. Mint a token with
#   branch-loan-api token --role OFFICER --branch NBO

query FirstLoans($first: Int = 10, $after: String) {
  loans(first: $first, after: $after) {
    nodes {
      id
      number
      status
      principal {
        amount
        currency
      }
      branch {
        code
        name
      }
      borrower {
        id
        name
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
    totalCount
  }
}
`,
};

const portfolio = {
  query: `# Sums and averages are exact, and per currency:
# currencies are never added up.

query Portfolio {
  portfolio {
    count
    byStatus {
      status
      count
    }
    byCurrency {
      currency
      count
      principal {
        amount
        currency
      }
      averagePrincipal {
        amount
        currency
      }
    }
  }
}
`,
};

const branchByCode = {
  query: `query BranchByCode($code: String!) {
  branch(by: { code: $code }) {
    id
    code
    name
    currency
    timeZone
    status
    parent {
      code
    }
  }
}
`,
  variables: JSON.stringify({ code: 'NBO' }, null, 2),
};

const whoCanBorrow = {
  query: `# The ids that an application takes: a borrower's,
# and a product's of the currency to borrow in.

query WhoCanBorrow {
  borrowers(first: 5) {
    nodes {
      id
      name
      branch {
        code
        currency
      }
    }
  }
  loanProducts(first: 10) {
    nodes {
      id
      code
      name
      currency
    }
  }
}
`,
};

const applyForLoan = {
  query: `# You choose the idempotencyKey. Sent again with the
# same input, it gives the same loan, replayed: true.
# What you can mend yourself comes in userErrors.

mutation ApplyForLoan($input: ApplyForLoanInput!) {
  applyForLoan(input: $input) {
    loan {
      id
      number
      status
      principal {
        amount
        currency
      }
    }
    replayed
    userErrors {
      code
      message
      path
    }
  }
}
`,
  variables: JSON.stringify(
    {
      input: {
        idempotencyKey: 'my-first-application',
        borrowerId: 'borrower_01gk64aer0e00800000000006h',
        productId: 'product_01gk64aer0e008000000000061',
        principal: { amount: '12500.00', currency: 'KES' },
        installments: 6,
      },
    },
    null,
    2,
  ),
};

export const examples = [firstLoans, portfolio, branchByCode, whoCanBorrow, applyForLoan];
