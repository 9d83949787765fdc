//! Inputs that are valid as they are, so that a test writes down only what it is about; and shortcuts that make rows
//! through the use cases.

use branch_loan_api::service::borrowers::{BorrowerRecord, RegisterBorrower, UpdateBorrower};
use branch_loan_api::service::branches::{BranchRecord, CreateBranch, UpdateBranch};
use branch_loan_api::service::check::{AmountInput, Change};
use branch_loan_api::service::group_members::{AddGroupMember, MemberRole, RemoveGroupMember, UpdateGroupMember};
use branch_loan_api::service::groups::{CreateGroup, GroupRecord, UpdateGroup};
use branch_loan_api::service::loan_decisions::{Decide, DecisionInput};
use branch_loan_api::service::loan_products::{CreateLoanProduct, LoanProductRecord, ProductTerms, UpdateLoanProduct};
use branch_loan_api::service::loans::{ApplyForLoan, LoanRecord};
use uuid::Uuid;

use super::services::{World, admin};

pub fn amount(amount: &str, currency: &str) -> AmountInput {
    AmountInput { amount: amount.to_owned(), currency: currency.to_owned() }
}

pub fn new_branch(code: &str) -> CreateBranch {
    CreateBranch {
        code: code.to_owned(),
        name: format!("Branch {code}"),
        parent: None,
        currency: "KES".to_owned(),
        time_zone: "Africa/Nairobi".to_owned(),
    }
}

pub fn branch_change(id: Uuid) -> UpdateBranch {
    UpdateBranch { id, name: None, parent: Change::Keep, time_zone: None, expected_version: None }
}

pub fn new_borrower(branch: &BranchRecord) -> RegisterBorrower {
    RegisterBorrower {
        branch: branch.id,
        name: "Wanjiru Kamau".to_owned(),
        external_ref: None,
        phone: None,
        national_id: None,
        date_of_birth: None,
        allow_duplicate: false,
    }
}

pub fn borrower_change(id: Uuid) -> UpdateBorrower {
    UpdateBorrower {
        id,
        name: None,
        external_ref: Change::Keep,
        phone: Change::Keep,
        national_id: Change::Keep,
        date_of_birth: Change::Keep,
        allow_duplicate: false,
        expected_version: None,
    }
}

pub fn new_product(code: &str) -> CreateLoanProduct {
    CreateLoanProduct {
        code: code.to_owned(),
        name: format!("Product {code}"),
        currency: "KES".to_owned(),
        terms: ProductTerms::default(),
    }
}

pub fn product_change(id: Uuid) -> UpdateLoanProduct {
    UpdateLoanProduct { id, name: None, terms: ProductTerms::default(), expected_version: None }
}

/// 12,500.00 KES on the product's terms.
pub fn application(key: &str, borrower: &BorrowerRecord, product: &LoanProductRecord) -> ApplyForLoan {
    ApplyForLoan {
        idempotency_key: key.to_owned(),
        borrower: borrower.id,
        product: product.id,
        branch: None,
        principal: amount("12500.00", "KES"),
        annual_rate: None,
        installments: None,
        terms: None,
        applied_on: None,
        officer: None,
        external_ref: None,
        group: None,
    }
}

pub fn new_group(branch: &BranchRecord) -> CreateGroup {
    CreateGroup {
        branch: branch.id,
        name: "Umoja".to_owned(),
        external_ref: None,
        meeting_weekday: None,
        meeting_place: None,
    }
}

pub fn group_change(id: Uuid) -> UpdateGroup {
    UpdateGroup {
        id,
        name: None,
        external_ref: Change::Keep,
        meeting_weekday: Change::Keep,
        meeting_place: Change::Keep,
        expected_version: None,
    }
}

pub fn joining(group: Uuid, borrower: Uuid) -> AddGroupMember {
    AddGroupMember { group, borrower, role: MemberRole::Member, joined_on: None, expected_version: None }
}

pub fn promotion(group: Uuid, borrower: Uuid) -> UpdateGroupMember {
    UpdateGroupMember { group, borrower, role: MemberRole::Chair, expected_version: None }
}

pub fn leaving(group: Uuid, borrower: Uuid) -> RemoveGroupMember {
    RemoveGroupMember { group, borrower, left_on: None, expected_version: None }
}

pub fn decide(loan: Uuid, decision: DecisionInput) -> Decide {
    Decide { idempotency_key: None, loan, on: None, decision, expected_version: None }
}

pub fn approve(loan: Uuid) -> Decide {
    decide(loan, DecisionInput::Approve { amount: None })
}

pub fn reject(loan: Uuid) -> Decide {
    decide(loan, DecisionInput::Reject { reason: None })
}

pub fn withdraw(loan: Uuid) -> Decide {
    decide(loan, DecisionInput::Withdraw { reason: None })
}

impl World {
    /// A branch at the top, or below another.
    pub async fn branch(&self, code: &str, parent: Option<&BranchRecord>) -> BranchRecord {
        let input = CreateBranch { parent: parent.map(|parent| parent.id), ..new_branch(code) };
        self.services.create_branch(&admin(), &input).await.unwrap()
    }

    pub async fn borrower(&self, branch: &BranchRecord) -> BorrowerRecord {
        self.services.register_borrower(&admin(), &new_borrower(branch)).await.unwrap()
    }

    /// A group of a branch with these members.
    pub async fn group(&self, branch: &BranchRecord, members: &[&BorrowerRecord]) -> GroupRecord {
        let mut group = self.services.create_group(&admin(), &new_group(branch)).await.unwrap();
        for member in members {
            group = self.services.add_group_member(&admin(), &joining(group.id, member.id)).await.unwrap();
        }
        group
    }

    pub async fn product(&self, code: &str) -> LoanProductRecord {
        self.services.create_loan_product(&admin(), &new_product(code)).await.unwrap()
    }

    /// A pending loan, applied for by the administrator.
    pub async fn loan(&self, key: &str, borrower: &BorrowerRecord, product: &LoanProductRecord) -> LoanRecord {
        self.services.apply_for_loan(&admin(), &application(key, borrower, product)).await.unwrap().loan
    }

    /// A branch, one of its borrowers and a product: what an application needs.
    pub async fn parties(&self) -> (BranchRecord, BorrowerRecord, LoanProductRecord) {
        let branch = self.branch("NBO", None).await;
        let borrower = self.borrower(&branch).await;
        let product = self.product("P1").await;
        (branch, borrower, product)
    }
}
