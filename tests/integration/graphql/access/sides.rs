//! Two sides of a fence: one of everything at a branch of the caller's, and one of everything where the caller has no
//! business.

use branch_loan_api::ids::Kind;
use serde_json::{Value as Json, json};

use crate::graphql::world::{World, borrower, branch, create, mutation, with};

/// One of everything at one branch, by id.
pub struct Side {
    pub branch: String,
    /// A branch below it.
    pub child: String,
    /// Someone who belongs to the group and has the loan.
    pub borrower: String,
    pub product: String,
    pub group: String,
    /// A loan that was paid out, paid back in part and charged.
    pub loan: String,
    /// The payment.
    pub transaction: String,
    pub charge: String,
    pub entry: String,
    pub event: String,
}

impl Side {
    /// A side without anything.
    pub fn nothing() -> Self {
        let none = String::new;
        Self {
            branch: none(),
            child: none(),
            borrower: none(),
            product: none(),
            group: none(),
            loan: none(),
            transaction: none(),
            charge: none(),
            entry: none(),
            event: none(),
        }
    }

    /// Fills a branch; `key` tells its rows from another's.
    pub async fn fill(world: &World, branch: &str, child: String, product: &str, currency: &str, key: &str) -> Self {
        let api = &world.api;
        let borrower = borrower(api, branch, &format!("Member {key}")).await;
        let group = create(api, "createGroup", json!({"branchId": branch, "name": format!("Group {key}")})).await;
        create(api, "addGroupMember", json!({"groupId": group, "borrowerId": borrower})).await;
        let application = json!({
            "idempotencyKey": format!("{key}-apply"),
            "borrowerId": borrower,
            "groupId": group,
            "productId": product,
            "principal": {"amount": "1000", "currency": currency},
        });
        let loan = create(api, "applyForLoan", application).await;
        create(api, "approveLoan", json!({"loanId": loan})).await;
        let amount = json!({"amount": {"amount": "10", "currency": currency}});
        let mut made = Vec::new();
        for (name, input) in
            [("disburseLoan", json!({})), ("recordRepayment", amount.clone()), ("addLoanCharge", amount)]
        {
            let input = with(json!({"loanId": loan, "idempotencyKey": format!("{key}-{name}")}), input);
            let text = mutation(name, "transaction { id } userErrors { code message }");
            let answer = api.data(&text, json!({"input": input})).await;
            assert_eq!(answer[name]["userErrors"], json!([]), "{name}");
            made.push(id_in(&answer[name]["transaction"]));
        }
        let about = json!({"loan": loan});
        let found = api
            .data(
                "query($loan: ID!) { journalEntries(filter: {loan: {eq: $loan}}, first: 1) { nodes { id } }
                 auditEvents(filter: {objectId: {eq: $loan}}, first: 1) { nodes { id } } }",
                about,
            )
            .await;
        Self {
            branch: branch.to_owned(),
            child,
            borrower,
            product: product.to_owned(),
            group,
            loan,
            transaction: made[1].clone(),
            charge: made[2].clone(),
            entry: id_in(&found["journalEntries"]["nodes"][0]),
            event: id_in(&found["auditEvents"]["nodes"][0]),
        }
    }

    /// What the caller of the tests has, at NBO.
    pub async fn own(world: &World) -> Self {
        Self::fill(world, &world.nbo, world.thika.clone(), &world.kes, "KES", "own").await
    }

    /// What the caller has no business with, at HCM.
    pub async fn foreign(world: &World) -> Self {
        let child = branch(&world.api, "BEYOND", Some(&world.hcm)).await;
        Self::fill(world, &world.hcm, child, &world.vnd, "VND", "foreign").await
    }

    /// What lies above: the caller's branch is below it, which gives no right to what it has.
    pub async fn above(world: &World) -> Self {
        Self::fill(world, &world.hq, world.nbo.clone(), &world.kes, "KES", "above").await
    }

    /// All ids of a kind.
    pub fn of(&self, kind: Kind) -> Vec<&str> {
        match kind {
            Kind::Branch => vec![&self.branch, &self.child],
            Kind::Borrower => vec![&self.borrower],
            Kind::LoanProduct => vec![&self.product],
            Kind::Loan => vec![&self.loan],
            Kind::Group => vec![&self.group],
            Kind::LoanTransaction => vec![&self.transaction, &self.charge],
            Kind::JournalEntry => vec![&self.entry],
            Kind::AuditEvent => vec![&self.event],
        }
    }

    /// All ids but the product's, which is everybody's.
    pub fn all(&self) -> Vec<&str> {
        let kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::LoanProduct);
        kinds.flat_map(|kind| self.of(kind)).collect()
    }
}

fn id_in(object: &Json) -> String {
    object["id"].as_str().unwrap().to_owned()
}
