//! Where a payment goes, in the three modes. The loan of the examples is 1,000.00 at 2 % a month over 4, without a
//! cent of rounding in the way: it asks for 262.62, 262.62, 262.62 and 262.64 on the 15th from February on.

use lending::loan::conditions::{AdvanceTo, Allocation, AllocationMode, Component, DueState, RuleDirection};
use lending::loan::{Conditions, Event, PaymentKind, Portions};

use crate::example::{Example, day, portions};

const LAST_FIRST: [Component; 4] = [Component::Principal, Component::Interest, Component::Fee, Component::Penalty];

fn loan(allocation: Allocation) -> Example {
    Example::new(100_000, "24", 4, "2024-01-15", Conditions { allocation, ..Conditions::default() })
        .fee("2024-02-01", "2024-02-10", 300)
        .penalty("2024-02-01", "2024-02-12", 200)
        .fee("2024-02-01", "2024-03-01", 50)
}

fn paid(example: &Example, on: &str) -> Vec<Portions> {
    example.on(on).installments.iter().map(|row| row.paid).collect()
}

fn mode(mode: AllocationMode) -> Allocation {
    Allocation { mode, ..Allocation::default() }
}

#[test]
fn each_installment_is_settled_before_the_next() {
    let example = loan(Allocation::default());
    // Penalty 2.00, fee 3.00, interest 20.00, then principal.
    assert_eq!(paid(&example.clone().pays("2024-02-15", 2_600), "2024-02-15")[0], portions(100, 2_000, 300, 200));
    let all = paid(&example.pays("2024-02-15", 26_762 + 1_000), "2024-02-15");
    assert_eq!(all[0], portions(24_262, 2_000, 300, 200));
    assert_eq!(all[1], portions(0, 950, 50, 0));
}

#[test]
fn the_order_is_data() {
    let example = loan(Allocation { order: LAST_FIRST.to_vec(), ..Allocation::default() });
    let all = paid(&example.pays("2024-02-15", 24_262 + 2_100), "2024-02-15");
    assert_eq!(all[0], portions(24_262, 2_000, 100, 0));
}

#[test]
fn by_installment_money_in_advance_goes_on_in_the_same_order() {
    let all = paid(&loan(Allocation::default()).pays("2024-02-02", 1_000), "2024-02-02");
    assert_eq!(all[0], portions(0, 500, 300, 200));
}

#[test]
fn due_first_then_in_advance_in_another_order() {
    let advance_order = LAST_FIRST.to_vec();
    let example = loan(Allocation { advance_order, ..mode(AllocationMode::DueThenAdvance) });
    let all = paid(&example.clone().pays("2024-02-15", 26_762 + 1_000), "2024-02-15");
    assert_eq!(all[0], portions(24_262, 2_000, 300, 200));
    assert_eq!(all[1], portions(1_000, 0, 0, 0), "the fee of March is not due yet");
    // On 11 February the fee is due already and the penalty is not; neither is the installment.
    let all = paid(&example.pays("2024-02-11", 1_000), "2024-02-11");
    assert_eq!(all[0], portions(700, 0, 300, 0));
}

fn by_rules(advance_to: AdvanceTo, direction: RuleDirection) -> Allocation {
    Allocation { advance_to, direction, ..mode(AllocationMode::Rules) }
}

#[test]
fn rules_send_money_in_advance_to_the_next_the_last_or_all() {
    let extra = 300;
    let of = |advance_to| {
        let example = Example::new(
            100_000,
            "24",
            4,
            "2024-01-15",
            Conditions { allocation: by_rules(advance_to, RuleDirection::InstallmentFirst), ..Conditions::default() },
        );
        let all = paid(&example.pays("2024-02-15", 26_262 + extra), "2024-02-15");
        all.iter().map(|paid| paid.total().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(of(AdvanceTo::NextInstallment), [26_262, 300, 0, 0]);
    assert_eq!(of(AdvanceTo::LastInstallment), [26_262, 0, 0, 300]);
    assert_eq!(of(AdvanceTo::Reamortize), [26_262, 100, 100, 100]);
}

#[test]
fn rules_finish_the_installment_or_the_component_first() {
    let of = |direction| {
        let allocation = by_rules(AdvanceTo::NextInstallment, direction);
        let example = Example::new(100_000, "24", 4, "2024-01-15", Conditions { allocation, ..Conditions::default() });
        // Two installments are past due on 20 March.
        let all = paid(&example.pays("2024-03-20", 4_000), "2024-03-20");
        (all[0], all[1])
    };
    assert_eq!(of(RuleDirection::InstallmentFirst), (portions(2_000, 2_000, 0, 0), Portions::ZERO));
    assert_eq!(of(RuleDirection::ComponentFirst), (portions(485, 2_000, 0, 0), portions(0, 1_515, 0, 0)));
}

#[test]
fn a_goodwill_credit_goes_where_a_repayment_goes() {
    let repaid = loan(Allocation::default()).pays("2024-02-15", 10_000).on("2024-02-15");
    let goodwill = loan(Allocation::default())
        .then("2024-02-15", Event::Payment { amount: 10_000, payment: PaymentKind::GoodwillCredit })
        .on("2024-02-15");
    assert_eq!(goodwill.installments, repaid.installments);
    assert_eq!(goodwill.effects[4].shares, repaid.effects[4].shares);
}

#[test]
fn each_installment_tells_what_came_early_and_late_and_when_it_was_settled() {
    let example = Example::new(100_000, "24", 4, "2024-01-15", Conditions::default())
        .pays("2024-02-01", 6_262)
        .pays("2024-02-15", 10_000)
        .pays("2024-02-20", 10_000);
    let row = &example.on("2024-02-20").installments[0];
    assert_eq!((row.paid_in_advance, row.paid_late), (6_262, 10_000));
    assert_eq!(row.settled_on, Some(day("2024-02-20")));
    assert_eq!(example.on("2024-02-19").installments[0].settled_on, None);
    let reversed = example.reversing(4).on("2024-02-20");
    assert_eq!(reversed.installments[0].settled_on, None);
    assert_eq!(reversed.installments[0].outstanding().unwrap(), portions(10_000, 0, 0, 0));
}

#[test]
fn every_share_says_which_place_in_the_order_sent_it() {
    let state = loan(Allocation::default()).pays("2024-02-20", 2_600).on("2024-02-20");
    let shares: Vec<_> =
        state.effects[4].shares.iter().map(|share| (share.component, share.amount, share.rule)).collect();
    assert_eq!(
        shares,
        [
            (Component::Penalty, 200, Some(0)),
            (Component::Fee, 300, Some(1)),
            (Component::Interest, 2_000, Some(2)),
            (Component::Principal, 100, Some(3)),
        ]
    );
    assert!(state.effects[4].shares.iter().all(|share| share.installment == 1 && share.state == DueState::PastDue));
}
