//! A small lender to test with, and short ways to change it and to look at what was refused.

use serde_json::{Value as Json, json};

use crate::support::api::{Client, TestApi};
use crate::support::engines::Engine;

/// A server with two branches under a head office, one elsewhere, a product and a borrower for each currency.
///
/// ```text
/// HQ (KES)            HCM (VND)
/// └─ NBO              └ Trần
///    ├─ THIKA
///    └ Wanjiru
/// ```
pub struct World {
    pub api: TestApi,
    pub hq: String,
    pub nbo: String,
    pub thika: String,
    pub hcm: String,
    pub kes: String,
    pub vnd: String,
    pub wanjiru: String,
    pub tran: String,
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same on an engine, with as much time as a test may need that shares its machine with others.
    pub async fn on(engine: &Engine) -> Self {
        let patient = [
            ("DATABASE_URL", engine.url.as_str()),
            ("DATABASE_ACQUIRE_TIMEOUT_MS", "60000"),
            ("DATABASE_STATEMENT_TIMEOUT_MS", "60000"),
            ("REQUEST_DEADLINE_MS", "120000"),
        ];
        Self::start_with(&patient).await
    }

    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        let api = TestApi::start_with(settings).await;
        let hq = branch(&api, "HQ", None).await;
        let nbo = branch(&api, "NBO", Some(&hq)).await;
        let thika = branch(&api, "THIKA", Some(&nbo)).await;
        let hcm = create(
            &api,
            "createBranch",
            json!({"code": "HCM", "name": "Ho Chi Minh City", "currency": "VND", "timeZone": "Asia/Ho_Chi_Minh"}),
        )
        .await;
        let kes = product(&api, "STANDARD-KES", "KES").await;
        let vnd = product(&api, "STANDARD-VND", "VND").await;
        let wanjiru = borrower(&api, &nbo, "Wanjiru Kamau").await;
        let tran = borrower(&api, &hcm, "Trần Thị Mai").await;
        Self { api, hq, nbo, thika, hcm, kes, vnd, wanjiru, tran }
    }

    /// An application for a loan in shillings by Wanjiru.
    pub fn application(&self, key: &str, amount: &str) -> Json {
        json!({
            "idempotencyKey": key,
            "borrowerId": self.wanjiru,
            "productId": self.kes,
            "principal": {"amount": amount, "currency": "KES"},
        })
    }

    /// An application for a loan in dong by Trần.
    pub fn foreign_application(&self, key: &str, amount: &str) -> Json {
        json!({
            "idempotencyKey": key,
            "borrowerId": self.tran,
            "productId": self.vnd,
            "principal": {"amount": amount, "currency": "VND"},
        })
    }

    /// A pending loan in shillings; gives its id.
    pub async fn loan(&self, key: &str, amount: &str) -> String {
        create(&self.api, "applyForLoan", self.application(key, amount)).await
    }

    /// A pending loan in dong; gives its id.
    pub async fn foreign_loan(&self, key: &str, amount: &str) -> String {
        create(&self.api, "applyForLoan", self.foreign_application(key, amount)).await
    }
}

/// Opens a branch in Kenya that is called like its code.
pub async fn branch(client: &Client, code: &str, parent: Option<&str>) -> String {
    let input =
        json!({"code": code, "name": code, "currency": "KES", "timeZone": "Africa/Nairobi", "parentId": parent});
    create(client, "createBranch", input).await
}

/// Creates a product with all defaults.
pub async fn product(client: &Client, code: &str, currency: &str) -> String {
    create(client, "createLoanProduct", json!({"code": code, "name": code, "currency": currency})).await
}

/// Registers a borrower of whom only the name is known.
pub async fn borrower(client: &Client, branch: &str, name: &str) -> String {
    create(client, "registerBorrower", json!({"branchId": branch, "name": name})).await
}

/// The text of a mutation.
pub fn mutation(name: &str, selection: &str) -> String {
    let pascal = name[..1].to_uppercase() + &name[1..];
    format!("mutation Change($input: {pascal}Input!) {{ {name}(input: $input) {{ {selection} }} }}")
}

/// The field of a mutation's payload that holds the object.
pub fn object(mutation: &str) -> &'static str {
    match mutation {
        "simulateLoan" => "balances",
        name if name.ends_with("LoanProduct") => "loanProduct",
        "closeBusinessDay" => "branch",
        name if name.contains("Branch") => "branch",
        name if name.ends_with("Borrower") => "borrower",
        name if name.contains("Group") => "group",
        _ => "loan",
    }
}

/// Everything there is to know about a user error.
pub const USER_ERRORS: &str = "userErrors {
    __typename code message path
    ... on InvalidTransition { from attempted allowed }
    ... on AmountOutOfRange { min { amount currency } max { amount currency } }
    ... on DateOutOfRange { earliest latest }
    ... on VersionConflict { current }
    ... on DuplicateBorrower { matches { borrowerId number field } }
    ... on BorrowerHasOpenLoans { count loans { loanId number status } }
    ... on IdempotencyKeyMismatch { firstUsedAt }
}";

/// Runs a mutation that must succeed, and gives what is selected of its object.
pub async fn change(client: &Client, name: &str, input: Json, selection: &str) -> Json {
    let object = object(name);
    let text = mutation(name, &format!("{object} {{ {selection} }} {USER_ERRORS}"));
    let mut payload = client.data(&text, json!({"input": input})).await[name].take();
    assert_eq!(payload["userErrors"], json!([]), "{name} {input}");
    payload[object].take()
}

/// The same, for the id alone.
pub async fn create(client: &Client, name: &str, input: Json) -> String {
    change(client, name, input, "id").await["id"].as_str().unwrap().to_owned()
}

/// Runs a mutation that must be refused, and gives its user errors.
pub async fn refusals(client: &Client, name: &str, input: Json) -> Json {
    let object = object(name);
    let text = mutation(name, &format!("{object} {{ id }} {USER_ERRORS}"));
    let mut payload = client.data(&text, json!({"input": input})).await[name].take();
    assert_eq!(payload[object], Json::Null, "{name} {input}");
    for error in payload["userErrors"].as_array().unwrap() {
        let sentence = error["message"].as_str().unwrap();
        assert!(sentence.ends_with('.') && sentence.len() > 10, "a sentence that says what to do: {sentence}");
    }
    payload["userErrors"].take()
}

/// The same in short: `AMOUNT_OUT_OF_RANGE input.principal.amount`.
pub async fn refused(client: &Client, name: &str, input: Json) -> Vec<String> {
    let errors = refusals(client, name, input.clone()).await;
    let errors = errors.as_array().unwrap();
    assert!(!errors.is_empty(), "{name} {input} was neither done nor refused");
    errors
        .iter()
        .map(|error| {
            let path: Vec<&str> =
                error["path"].as_array().into_iter().flatten().map(|part| part.as_str().unwrap()).collect();
            format!("{} {}", error["code"].as_str().unwrap(), path.join("."))
        })
        .collect()
}

/// An input with some fields replaced.
pub fn with(mut input: Json, changes: Json) -> Json {
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    input
}

/// The strings under a name, of every element of a list.
pub fn each(list: &Json, name: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one[name].as_str().unwrap().to_owned()).collect()
}
