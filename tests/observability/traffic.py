"""Makes a server do everything that is counted: answers, refusals, replays, an end of day, turning away, a broken
database. Nothing here depends on how fast the machine is."""

import concurrent.futures
import contextlib
import sqlite3

from support import until

# Of the demonstration data; they are always the same.
BORROWER = "borrower_01gk64aer0e00800000000006h"
PRODUCT = "product_01gk64aer0e008000000000061"

# One place for mutations and no queue, so that a database that is locked turns everything else away.
SETTINGS = {"WRITES_IN_FLIGHT": "1", "WRITES_QUEUED": "0", "DATABASE_LOCK_TIMEOUT_MS": "2000", "LOG_FORMAT": "json"}

APPLY = """mutation ($input: ApplyForLoanInput!) {
  applyForLoan(input: $input) { loan { id } replayed userErrors { code } }
}"""
CLOSE = "mutation ($input: CloseBusinessDayInput!) { closeBusinessDay(input: $input) { userErrors { code } } }"

# More than BranchLoanApiShedding's one in ten seconds, over its five minutes.
TURNED_AWAY = 40


def application(key, amount="1500.00"):
    principal = {"amount": amount, "currency": "KES"}
    return {
        "input": {
            "idempotencyKey": key, "borrowerId": BORROWER, "productId": PRODUCT, "principal": principal, "installments": 6
        }
    }


def usual(api, name):
    """A round of what clients do on any day. The same twice leaves a rate of everything."""
    for _ in range(5):
        nodes = api.data("{ loans(first: 20) { totalCount nodes { id number } } }")["loans"]["nodes"]
    api.data("query ($id: ID!) { loan(by: { id: $id }) { number } }", {"id": nodes[0]["id"]})
    loan = api.data(APPLY, application(name))["applyForLoan"]
    assert loan["loan"] and not loan["replayed"], loan
    assert api.data(APPLY, application(name))["applyForLoan"]["replayed"]
    refused = api.data(APPLY, application(name, "1600.00"))["applyForLoan"]["userErrors"]
    assert [error["code"] for error in refused] == ["IDEMPOTENCY_KEY_MISMATCH"], refused
    assert api.post("{ nonsense }")[1]["errors"]
    status, _ = api.post("{ __typename }", authorization="Bearer a.b.c")
    assert status == 401, status
    for branch in api.data("{ branches(first: 100) { nodes { id } } }")["branches"]["nodes"]:
        errors = api.data(CLOSE, {"input": {"branchId": branch["id"]}})["closeBusinessDay"]["userErrors"]
        assert not errors, errors


def locked(api, name, others):
    """One mutation waits for a lock that somebody else has, and has the only place; the others are turned away."""
    used = 'branch_loan_places{budget="writes",state="used"}'
    connection = sqlite3.connect(api.database, isolation_level=None)
    with contextlib.closing(connection), concurrent.futures.ThreadPoolExecutor(1) as pool:
        connection.execute("BEGIN IMMEDIATE")
        waiting = pool.submit(api.post, APPLY, application(f"{name} waits"))
        until("the mutation has its place", lambda: api.sample(used) == 1)
        turned_away = [api.post(APPLY, application(f"{name} {n}"))[0] for n in range(others)]
        connection.execute("ROLLBACK")
        waiting.result()
    assert set(turned_away) == {503}, turned_away


def broken(api):
    """A table is away: the server's answer is INTERNAL, as if the statement were a defect."""
    connection = sqlite3.connect(api.database, isolation_level=None)
    with contextlib.closing(connection):
        connection.execute("PRAGMA legacy_alter_table = ON")
        connection.execute("ALTER TABLE loan_products RENAME TO away")
        try:
            _, answer = api.post("{ loanProducts(first: 1) { nodes { id } } }")
        finally:
            connection.execute("ALTER TABLE away RENAME TO loan_products")
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL", answer
