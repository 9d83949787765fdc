use crate::example::*;
use lending::loan::conditions::*;
use lending::loan::*;
fn rules(s: &str) -> Vec<AllocationRule> {
    s.split_whitespace()
        .map(|w| {
            let state = *DueState::ALL
                .iter()
                .find(|x| w.starts_with(&format!("{x:?}")) && Component::ALL.iter().any(|c| w == format!("{x:?}{c:?}")))
                .unwrap();
            let component = *Component::ALL.iter().find(|c| w.ends_with(&format!("{c:?}"))).unwrap();
            AllocationRule { state, component }
        })
        .collect()
}
#[test]
fn scratch2() {
    let conditions = Conditions {
        interest_payment_grace: 1,
        recalculation: InterestRecalculation::DailyBalance,
        day_count: DayCount::Thirty360,
        allocation: Allocation {
            mode: AllocationMode::Rules,
            advance_to: AdvanceTo::LastInstallment,
            rules: rules(
                "InAdvanceInterest  PastDueInterest  DuePrincipal  InAdvancePrincipal  PastDuePrincipal  DuePenalty  DueFee  PastDuePenalty  DueInterest  InAdvancePenalty  InAdvanceFee  PastDueFee",
            ),
            ..Allocation::default()
        },
        ..Conditions::default()
    };
    let mut e = Example::with(95, "94.7369", 2, "2023-10-31", conditions, |t| {
        t.every = 3;
        t.unit = PeriodUnit::Day;
        t.first_due_on = Some(day("2023-11-10"))
    });
    eprintln!("{:?} {:?}", asked(&e.schedule()), dates(&e.schedule()));
    e = e.pays("2023-11-02", 49);
    eprintln!("{:?}", e.on("2023-11-02").effects[1].shares);
}
#[test]
fn scratch4() {
    let conditions = Conditions {
        interest_free_installments: 1,
        recalculation: InterestRecalculation::DailyBalance,
        day_count: DayCount::Actual360,
        allocation: Allocation {
            mode: AllocationMode::Rules,
            rules: rules(
                "InAdvancePrincipal  DueInterest  InAdvancePenalty  PastDueInterest  DuePrincipal  InAdvanceFee  InAdvanceInterest  PastDuePenalty  DuePenalty  PastDueFee  DueFee  PastDuePrincipal",
            ),
            ..Allocation::default()
        },
        ..Conditions::default()
    };
    let mut e = Example::with(556, "9.3182", 2, "2023-10-31", conditions, |_| {});
    e = e.then(
        "2023-10-31",
        Event::Reschedule(Reschedule {
            from: day("2023-10-31"),
            first_due_on: None,
            annual_rate: None,
            extra_installments: 1,
        }),
    );
    e = e.pays("2023-11-30", 226);
    e = e.pays("2023-12-27", 250);
    eprintln!("FINAL {:?}", asked(&e.on("2029-11-02").installments));
}
