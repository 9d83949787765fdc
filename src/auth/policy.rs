//! Which role may do what: one table, no other rule anywhere. It is pure and does not know branches; a service asks
//! it first and then narrows to the actor's branches.

use std::fmt::Write as _;

use super::actor::Actor;
use super::role::Role::{self, Admin, Auditor, Manager, Officer, Service};

/// Defines the actions and the roles that may do them in one place, so that an action without a rule cannot exist.
macro_rules! policy {
    ($($(#[$doc:meta])+ $action:ident: $($role:ident)+;)+) => {
        /// Something an actor may or may not do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action { $($(#[$doc])+ $action,)+ }

        impl Action {
            /// Every action, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$action),+];

            /// The action's name, as in the audit trail: `ApproveLoan`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$action => stringify!($action)),+ }
            }

            /// The roles that may do it.
            #[must_use]
            pub fn roles(self) -> &'static [Role] {
                match self { $(Self::$action => &[$($role),+]),+ }
            }
        }
    };
}

policy! {
    /// Look up and list branches.
    ReadBranches:     Officer Manager Admin Auditor Service;
    /// Look up and list borrowers, phone and national id masked.
    ReadBorrowers:    Officer Manager Admin Auditor Service;
    /// Look up and list groups and their members.
    ReadGroups:       Officer Manager Admin Auditor Service;
    /// Look up and list loan products.
    ReadProducts:     Officer Manager Admin Auditor Service;
    /// Look up and list loans.
    ReadLoans:        Officer Manager Admin Auditor Service;
    /// See the portfolio's totals.
    ReadPortfolio:    Officer Manager Admin Auditor Service;
    /// See phone and national id unmasked.
    ReadPersonalData: Manager Admin Auditor;
    /// Open a branch.
    CreateBranch:     Admin;
    /// Change a branch.
    UpdateBranch:     Admin;
    /// Close a branch.
    CloseBranch:      Admin;
    /// Register a borrower.
    RegisterBorrower: Officer Manager Admin Service;
    /// Change a borrower.
    UpdateBorrower:   Officer Manager Admin;
    /// Erase a borrower's person; the books stay.
    EraseBorrower:    Admin;
    /// Create a group.
    CreateGroup:      Officer Manager Admin;
    /// Change a group.
    UpdateGroup:      Officer Manager Admin;
    /// Add and remove a group's members, and change their roles.
    ChangeGroupMembers: Officer Manager Admin;
    /// Close a group.
    CloseGroup:       Manager Admin;
    /// Create a loan product.
    CreateProduct:    Admin;
    /// Change a loan product.
    UpdateProduct:    Admin;
    /// Retire a loan product.
    RetireProduct:    Admin;
    /// Apply for a loan on behalf of a borrower.
    ApplyForLoan:     Officer Manager Admin Service;
    /// Approve a pending loan.
    ApproveLoan:      Manager Admin;
    /// Reject a pending loan.
    RejectLoan:       Manager Admin;
    /// Withdraw an application.
    WithdrawLoan:     Officer Manager Admin;
    /// Take an approval back.
    UndoApproval:     Manager Admin;
    /// Give a loan to another officer.
    AssignOfficer:    Manager Admin;
    /// Pay a loan out.
    DisburseLoan:     Manager Admin Service;
    /// Take a disbursement back.
    UndoDisbursement: Manager Admin;
    /// Record a borrower's payment.
    RecordRepayment:  Officer Manager Admin Service;
    /// Credit a loan at the lender's expense.
    GrantGoodwill:    Manager Admin;
    /// Reverse a transaction.
    ReverseTransaction: Manager Admin;
    /// Charge a fee or a penalty.
    AddLoanCharge:    Officer Manager Admin Service;
    /// Waive a charge or interest.
    WaiveLoanCharge:  Manager Admin;
    /// Pay credit back to the borrower.
    RefundCredit:     Manager Admin;
    /// Agree the rest of a loan anew.
    RescheduleLoan:   Manager Admin;
    /// Take a loan off the books.
    ChargeOffLoan:    Manager Admin;
    /// Give a loan up.
    WriteOffLoan:     Manager Admin;
    /// Record money that comes in after a loan was given up.
    RecordRecovery:   Officer Manager Admin Service;
    /// Close a business date.
    CloseBusinessDay: Manager Admin Service;
    /// See the ledger: the trial balance, the accounts, the journal.
    ReadLedger:       Manager Admin Auditor;
    /// Verify the books.
    VerifyBooks:      Admin Auditor;
    /// See the audit trail.
    ReadAudit:        Admin Auditor;
    /// Change a branch's rest days and holidays.
    ChangeCalendar:   Manager Admin;
}

/// Whether one of the actor's roles allows the action.
#[must_use]
pub fn can(actor: &Actor, action: Action) -> bool {
    action.roles().iter().any(|role| actor.roles.contains(role))
}

/// The table in Markdown, for the documentation.
#[must_use]
pub fn table_markdown() -> String {
    let mut out = String::from("| Action |");
    for role in Role::ALL {
        let _ = write!(out, " {role} |");
    }
    out.push_str("\n| --- |");
    out.push_str(&" :---: |".repeat(Role::ALL.len()));
    for action in Action::ALL {
        let _ = write!(out, "\n| {} |", action.as_str());
        for role in Role::ALL {
            out.push_str(if action.roles().contains(&role) { " yes |" } else { " – |" });
        }
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::actor::BranchGrant;
    use super::*;

    fn actor(roles: &[Role]) -> Actor {
        Actor {
            subject: "a".to_owned(),
            roles: roles.iter().copied().collect(),
            branches: BranchGrant::All,
            request_id: None,
        }
    }

    /// O, M, A, U (auditor), S: written out by hand, so that a change of the table is a decision and not a slip.
    const EXPECTED: [(&str, &str); 43] = [
        ("ReadBranches", "OMAUS"),
        ("ReadBorrowers", "OMAUS"),
        ("ReadGroups", "OMAUS"),
        ("ReadProducts", "OMAUS"),
        ("ReadLoans", "OMAUS"),
        ("ReadPortfolio", "OMAUS"),
        ("ReadPersonalData", "MAU"),
        ("CreateBranch", "A"),
        ("UpdateBranch", "A"),
        ("CloseBranch", "A"),
        ("RegisterBorrower", "OMAS"),
        ("UpdateBorrower", "OMA"),
        ("EraseBorrower", "A"),
        ("CreateGroup", "OMA"),
        ("UpdateGroup", "OMA"),
        ("ChangeGroupMembers", "OMA"),
        ("CloseGroup", "MA"),
        ("CreateProduct", "A"),
        ("UpdateProduct", "A"),
        ("RetireProduct", "A"),
        ("ApplyForLoan", "OMAS"),
        ("ApproveLoan", "MA"),
        ("RejectLoan", "MA"),
        ("WithdrawLoan", "OMA"),
        ("UndoApproval", "MA"),
        ("AssignOfficer", "MA"),
        ("DisburseLoan", "MAS"),
        ("UndoDisbursement", "MA"),
        ("RecordRepayment", "OMAS"),
        ("GrantGoodwill", "MA"),
        ("ReverseTransaction", "MA"),
        ("AddLoanCharge", "OMAS"),
        ("WaiveLoanCharge", "MA"),
        ("RefundCredit", "MA"),
        ("RescheduleLoan", "MA"),
        ("ChargeOffLoan", "MA"),
        ("WriteOffLoan", "MA"),
        ("RecordRecovery", "OMAS"),
        ("CloseBusinessDay", "MAS"),
        ("ReadLedger", "MAU"),
        ("VerifyBooks", "AU"),
        ("ReadAudit", "AU"),
        ("ChangeCalendar", "MA"),
    ];

    #[test]
    fn the_documentation_shows_the_table() {
        let page = include_str!("../../docs/API.md");
        assert!(page.contains(&table_markdown()), "copy this into docs/API.md:\n{}", table_markdown());
    }

    #[test]
    fn the_table_is_as_decided() {
        let letter = |role: &Role| match role {
            Officer => 'O',
            Manager => 'M',
            Admin => 'A',
            Auditor => 'U',
            Service => 'S',
        };
        let actual: Vec<(&str, String)> = Action::ALL
            .iter()
            .map(|action| {
                let who = Role::ALL.iter().filter(|role| can(&actor(&[**role]), *action)).map(letter).collect();
                (action.as_str(), who)
            })
            .collect();
        let expected: Vec<(&str, String)> = EXPECTED.iter().map(|(action, who)| (*action, (*who).to_owned())).collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn roles_add_up_and_no_role_allows_nothing() {
        for action in Action::ALL {
            assert!(!can(&actor(&[]), *action));
            for first in Role::ALL {
                for second in Role::ALL {
                    let either = can(&actor(&[first]), *action) || can(&actor(&[second]), *action);
                    assert_eq!(can(&actor(&[first, second]), *action), either);
                }
            }
        }
    }

    #[test]
    fn an_auditor_changes_nothing_and_a_manager_is_an_officer_too() {
        for action in Action::ALL {
            let is_read = action.as_str().starts_with("Read") || *action == Action::VerifyBooks;
            assert_eq!(can(&actor(&[Auditor]), *action), is_read, "{action:?}");
            assert!(can(&actor(&[Admin]), *action), "{action:?}");
            assert!(!can(&actor(&[Officer]), *action) || can(&actor(&[Manager]), *action), "{action:?}");
        }
    }

    #[test]
    fn the_documented_table_has_a_row_for_every_action() {
        let table = table_markdown();
        assert_eq!(table.lines().count(), 2 + Action::ALL.len());
        assert!(table.contains("\n| ApproveLoan | – | yes | yes | – | – |\n"), "{table}");
        assert_eq!(Action::ALL.iter().collect::<BTreeSet<_>>().len(), Action::ALL.len());
    }
}
