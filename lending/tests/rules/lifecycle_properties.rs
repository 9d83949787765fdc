//! Random lives of loans. Dates, people and amounts are drawn so that steps both succeed and fail on each of them.

use lending::loan::{Application, Business, Lifecycle, LoanStatus, Transition, TransitionError};
use lending::money::Money;
use proptest::prelude::*;

use crate::{currency, march, thorough};

/// One attempt at a step with everything it could need.
#[derive(Debug, Clone)]
struct Attempt {
    step: Transition,
    day: u32,
    by: String,
    amount: Option<Money>,
    maker_checker: bool,
}

impl Attempt {
    fn on(&self, state: Lifecycle) -> Result<Lifecycle, TransitionError> {
        let business = Business { today: march(25), maker_checker: self.maker_checker };
        let (on, by) = (march(self.day), self.by.clone());
        match self.step {
            Transition::Approve => state.approve(on, by, self.amount, business),
            Transition::Reject => state.reject(on, by, None, business),
            Transition::Withdraw => state.withdraw(on, by, None, business),
            Transition::UndoApproval => state.undo_approval(),
            Transition::Disburse => {
                let amount = self.amount.unwrap_or(Money::new(1, currency("KES")));
                state.disburse(on, by, amount, business)
            }
            Transition::UndoDisbursement => state.undo_disbursement(),
            Transition::Default => state.default_on(on, business),
            Transition::Cure => state.cure(),
            Transition::Repay => state.repay(on, business),
            Transition::Reopen => state.reopen(),
            Transition::WriteOff => state.write_off(on, business),
        }
    }
}

/// Closing steps are drawn less often, or most lives would be over at once.
fn any_step() -> impl Strategy<Value = Transition> {
    prop_oneof![
        8 => prop::sample::select(&Transition::ALL[3..10]),
        4 => Just(Transition::Approve),
        4 => Just(Transition::Disburse),
        1 => prop::sample::select(&Transition::ALL[..]),
    ]
}

fn any_amount() -> impl Strategy<Value = Money> {
    prop_oneof![
        8 => (1_i64..60).prop_map(|minor| Money::new(minor, currency("KES"))),
        1 => (-5_i64..120).prop_map(|minor| Money::new(minor, currency("KES"))),
        1 => Just(Money::new(1, currency("VND"))),
    ]
}

fn any_attempt() -> impl Strategy<Value = Attempt> {
    let by = prop::sample::select(&["ann", "bob"][..]).prop_map(str::to_owned);
    (any_step(), 1..=28_u32, by, prop::option::of(any_amount()), any::<bool>())
        .prop_map(|(step, day, by, amount, maker_checker)| Attempt { step, day, by, amount, maker_checker })
}

fn any_life() -> impl Strategy<Value = (Lifecycle, Vec<Attempt>)> {
    let start = (1..=10_u32, 40..100_i64).prop_map(|(day, minor)| {
        let business = Business { today: march(25), maker_checker: true };
        Lifecycle::apply(march(day), "ann".into(), Money::new(minor, currency("KES")), business).unwrap()
    });
    (start, prop::collection::vec(any_attempt(), 0..60))
}

fn variant(state: &Lifecycle) -> LoanStatus {
    match state {
        Lifecycle::Pending { .. } => LoanStatus::Pending,
        Lifecycle::Approved { .. } => LoanStatus::Approved,
        Lifecycle::Rejected { .. } => LoanStatus::Rejected,
        Lifecycle::Withdrawn { .. } => LoanStatus::Withdrawn,
        Lifecycle::Disbursed { .. } => LoanStatus::Disbursed,
        Lifecycle::Defaulted { .. } => LoanStatus::Defaulted,
        Lifecycle::Repaid { .. } => LoanStatus::Repaid,
        Lifecycle::WrittenOff { .. } => LoanStatus::WrittenOff,
    }
}

/// What must hold in every state: the application is untouched, dates only grow, amounts only shrink.
fn check_facts(state: &Lifecycle, application: &Application) -> Result<(), TestCaseError> {
    prop_assert_eq!(state.application(), application);
    prop_assert_eq!(state.status(), variant(state));
    if let Some(approval) = state.approval() {
        prop_assert!(application.applied_on <= approval.on && approval.on <= march(25));
        prop_assert!(approval.amount.is_positive() && approval.amount.minor() <= application.amount.minor());
        prop_assert_eq!(approval.amount.currency(), application.amount.currency());
        if let Some(disbursement) = state.disbursement() {
            prop_assert!(approval.on <= disbursement.on && disbursement.on <= march(25));
            prop_assert!(disbursement.amount.is_positive());
            prop_assert!(disbursement.amount.minor() <= approval.amount.minor());
        }
    } else {
        prop_assert_eq!(state.disbursement(), None);
    }
    Ok(())
}

proptest! {
    #![proptest_config(thorough())]

    #[test]
    fn a_life_keeps_its_facts((start, attempts) in any_life()) {
        let application = start.application().clone();
        let mut state = start;
        for attempt in attempts {
            let before = state.status();
            match attempt.on(state.clone()) {
                Ok(next) => {
                    prop_assert!(before.allowed().contains(&attempt.step));
                    prop_assert_eq!(next.status(), attempt.step.target());
                    let same_person = attempt.by == application.applied_by;
                    prop_assert!(!(attempt.step == Transition::Approve && attempt.maker_checker && same_person));
                    state = next;
                }
                Err(TransitionError::InvalidTransition { from, attempted, allowed }) => {
                    prop_assert_eq!((from, attempted), (before, attempt.step));
                    prop_assert_eq!(&allowed[..], before.allowed());
                    prop_assert!(!allowed.contains(&attempt.step));
                }
                Err(_) => prop_assert!(before.allowed().contains(&attempt.step)),
            }
            check_facts(&state, &application)?;
        }
    }

    #[test]
    fn allowed_is_exactly_what_is_not_invalid((start, attempts) in any_life(), probe in any_attempt()) {
        let mut state = start;
        for attempt in attempts {
            state = attempt.on(state.clone()).unwrap_or(state);
        }
        let possible: Vec<Transition> = Transition::ALL
            .into_iter()
            .filter(|step| {
                let result = Attempt { step: *step, ..probe.clone() }.on(state.clone());
                !matches!(result, Err(TransitionError::InvalidTransition { .. }))
            })
            .collect();
        prop_assert_eq!(&possible[..], state.status().allowed());
    }
}

/// The properties above mean little for a status no random life ever reaches.
#[test]
fn random_lives_reach_every_status() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut reached = std::collections::BTreeSet::new();
    for _ in 0..500 {
        let (mut state, attempts) = any_life().new_tree(&mut runner).unwrap().current();
        for attempt in attempts {
            state = attempt.on(state.clone()).unwrap_or(state);
            reached.insert(state.status());
        }
    }
    assert_eq!(reached.into_iter().collect::<Vec<_>>(), LoanStatus::ALL);
}
