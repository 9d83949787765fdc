//! Reads by id, and pages, that requests at the same time share: everybody gets their own rows, nobody sees another scope's, and
//! what was committed before a request asked is in its answer.

use std::sync::Arc;

use branch_loan_api::service::list::{Filter, PageRequest, Scalar, SortKey, Test};
use branch_loan_api::service::loans::{LoanField, LoanKey, LoanRecord};
use branch_loan_api::store::gather::Gather;
use branch_loan_api::store::scope::Scope;
use branch_loan_api::store::{Database, loans};
use futures_util::FutureExt;
use futures_util::future::join_all;
use uuid::Uuid;

use crate::support::engines::Engine;
use crate::support::fill::{Filled, fill};
use crate::support::random::Dice;
use crate::support::services::{World, admin, officer_of};

both_engines!(
    requests_at_the_same_time_share_statements,
    everybody_gets_their_own_rows,
    scopes_are_never_mixed,
    what_was_committed_before_is_seen,
    whoever_leaves_takes_nobody_along,
    a_statement_that_fails_is_no_answer_for_others,
    a_page_that_many_want_is_read_few_times,
    pages_that_differ_are_never_mixed,
    pages_from_different_places_share_statements,
    a_page_has_what_was_committed_before,
);

async fn filled(engine: Engine) -> (World, Filled) {
    let world = World::new(engine).await;
    let filled = fill(&world.database, &mut Dice::new(), 300).await;
    (world, filled)
}

fn gather() -> Gather<LoanRecord> {
    Gather::new(|loan| loan.id)
}

async fn ask(gather: &Gather<LoanRecord>, database: &Database, scope: &Scope, ids: &[Uuid]) -> Vec<Option<LoanRecord>> {
    let found = gather.by_ids::<LoanField>(database.reader(), scope, ids).await.unwrap();
    found.into_iter().map(|loan| loan.map(Arc::unwrap_or_clone)).collect()
}

async fn requests_at_the_same_time_share_statements(engine: Engine) {
    let (world, filled) = filled(engine).await;
    let actor = admin();
    world.statements.take();
    let reads = filled.loans.iter().take(100).map(|loan| {
        let (key, world, actor) = (LoanKey::Id(loan.id), &world, &actor);
        async move { world.services.loan(actor, &key).await.unwrap().unwrap().id == loan.id }
    });
    assert!(join_all(reads).await.into_iter().all(|own| own));
    // The first two go at once; whoever comes while they are under way goes together.
    let sent = world.statements.take().len();
    assert!(sent < 50, "{sent} statements for 100 requests");
    let alone = LoanKey::Id(filled.loans[0].id);
    world.services.loan(&actor, &alone).await.unwrap();
    assert_eq!(world.statements.take().len(), 1);
}

async fn everybody_gets_their_own_rows(engine: Engine) {
    let (world, filled) = filled(engine).await;
    let (gather, database) = (gather(), &world.database);
    let unknown = Uuid::from_u128(7);
    let asked: Vec<Vec<Uuid>> = (0..40)
        .map(|index| {
            let mut ids: Vec<Uuid> = filled.loans.iter().skip(index * 3).take(index % 7).map(|loan| loan.id).collect();
            // The same loan is asked for by all, twice by some; and one that nobody has.
            ids.extend([filled.loans[299].id, unknown]);
            if index % 2 == 0 {
                ids.push(filled.loans[299].id);
            }
            ids
        })
        .collect();
    let answers = join_all(asked.iter().map(|ids| ask(&gather, database, &Scope::All, ids))).await;
    for (ids, rows) in asked.iter().zip(answers) {
        let found: Vec<Option<Uuid>> = rows.iter().map(|row| row.as_ref().map(|loan| loan.id)).collect();
        let expected: Vec<Option<Uuid>> = ids.iter().map(|id| (*id != unknown).then_some(*id)).collect();
        assert_eq!(found, expected);
    }
}

async fn scopes_are_never_mixed(engine: Engine) {
    let (world, filled) = filled(engine).await;
    let everybody = [(admin(), "ROOT and OTHER"), (officer_of("EAST"), "EAST"), (officer_of("WEST"), "WEST")];
    let reads = filled.loans.iter().take(60).flat_map(|loan| {
        everybody.iter().map(move |(actor, below)| (LoanKey::Id(loan.id), loan.branch_id, actor, *below))
    });
    let world = &world;
    let answers = join_all(reads.map(|(key, branch, actor, below)| async move {
        (branch, below, world.services.loan(actor, &key).await.unwrap().is_some())
    }));
    for (branch, below, is_seen) in answers.await {
        let expected = below == "ROOT and OTHER" || filled.is_under(branch, &[filled.branch(below).id]);
        assert_eq!(is_seen, expected, "{below}");
    }
}

async fn what_was_committed_before_is_seen(engine: Engine) {
    let (world, filled) = filled(engine).await;
    let (gather, database) = (gather(), &world.database);
    let others: Vec<Uuid> = filled.loans.iter().skip(1).map(|loan| loan.id).collect();
    let changes = async {
        let mut loan = filled.loans[0].clone();
        for _ in 0..20 {
            loan.version += 1;
            let changed = &loan;
            database.write(|transaction| async move { loans::update(&*transaction, changed).await }).await.unwrap();
            let seen = ask(&gather, database, &Scope::All, &[loan.id]).await;
            assert_eq!(seen[0].as_ref().map(|row| row.version), Some(loan.version));
        }
    };
    beside(changes, async || drop(ask(&gather, database, &Scope::All, &others).await)).await;
}

/// Lets something happen while others keep statements under way all the time.
async fn beside(happens: impl Future<Output = ()>, read: impl AsyncFn()) {
    let noise = join_all((0..8).map(|_| async {
        loop {
            read().await;
        }
    }));
    tokio::select! {
        () = happens => {}
        _ = noise => {}
    }
}

async fn whoever_leaves_takes_nobody_along(engine: Engine) {
    let (world, filled) = filled(engine).await;
    let (gather, database) = (gather(), &world.database);
    for round in filled.loans.chunks(10) {
        let mut reads: Vec<_> = round
            .iter()
            .map(|loan| async { ask(&gather, database, &Scope::All, &[loan.id]).await[0].as_ref().unwrap().id }.boxed())
            .collect();
        // All begin, and the first ones, who ask for all others, go away.
        let begun: Vec<Option<Uuid>> = reads.iter_mut().map(|read| read.now_or_never()).collect();
        let staying = reads.into_iter().zip(begun).skip(5).map(|(read, done)| async move {
            match done {
                Some(id) => id,
                None => read.await,
            }
        });
        let expected: Vec<Uuid> = round.iter().skip(5).map(|loan| loan.id).collect();
        assert_eq!(join_all(staying).await, expected);
    }
}

async fn a_statement_that_fails_is_no_answer_for_others(engine: Engine) {
    let (world, filled) = filled(engine).await;
    let (gather, good) = (gather(), &world.database);
    let closed = Database::connect(&good_options(&world), None).await.unwrap();
    closed.close().await;
    let ids: Vec<Uuid> = filled.loans.iter().take(20).map(|loan| loan.id).collect();
    let reads = ids.iter().enumerate().map(|(index, id)| {
        let (gather, database) = (&gather, if index % 2 == 0 { &closed } else { good });
        async move { gather.by_ids::<LoanField>(database.reader(), &Scope::All, &[*id]).await }
    });
    for (index, answer) in join_all(reads).await.into_iter().enumerate() {
        if index % 2 == 1 {
            assert_eq!(answer.unwrap()[0].as_ref().map(|loan| loan.id), Some(ids[index]));
        }
    }
}

fn good_options(world: &World) -> branch_loan_api::store::DatabaseOptions {
    world.engine.options()
}

const FIRST: PageRequest = PageRequest { size: 20, backward: false, cursor: None };

async fn a_page_that_many_want_is_read_few_times(engine: Engine) {
    let (world, _) = filled(engine).await;
    let (actor, filter) = (admin(), Filter::default());
    let expected = world.services.loans(&actor, &filter, &[], &FIRST).await.unwrap();
    world.statements.take();
    let pages = join_all((0..100).map(|_| world.services.loans(&actor, &filter, &[], &FIRST))).await;
    let sent = world.statements.take().len();
    assert!(sent < 50, "{sent} statements for 100 pages");
    for page in pages {
        let page = page.unwrap();
        assert_eq!((page.has_previous, page.has_next), (expected.has_previous, expected.has_next));
        let rows = page.rows.iter().zip(&expected.rows);
        assert_eq!(page.rows.len(), expected.rows.len());
        assert!(rows.map(|(a, b)| (a.0.to_string() == b.0.to_string(), a.1 == b.1)).all(|same| same == (true, true)));
    }
}

async fn pages_that_differ_are_never_mixed(engine: Engine) {
    let (world, filled) = filled(engine).await;
    let number = |descending| [SortKey { field: LoanField::Number, descending }];
    let status = |status: &str| Filter::Field(LoanField::Status, Test::Is(Scalar::Text(status.to_owned())));
    let second = {
        let page = world.services.loans(&admin(), &Filter::default(), &number(false), &FIRST).await.unwrap();
        PageRequest { cursor: page.rows.last().map(|(cursor, _)| cursor.to_string()), ..FIRST }
    };
    let asked = [
        (admin(), Filter::default(), number(false), FIRST),
        (admin(), Filter::default(), number(true), FIRST),
        (admin(), Filter::default(), number(false), second),
        (admin(), Filter::default(), number(false), PageRequest { size: 7, ..FIRST }),
        (admin(), status("PENDING"), number(false), FIRST),
        (admin(), status("DISBURSED"), number(false), FIRST),
        (officer_of("EAST"), Filter::default(), number(false), FIRST),
        (officer_of("WEST"), Filter::default(), number(false), FIRST),
    ];
    let ids = |page: branch_loan_api::service::list::Page<Arc<LoanRecord>>| -> Vec<Uuid> {
        page.rows.iter().map(|(_, loan)| loan.id).collect()
    };
    let mut alone = Vec::new();
    for (actor, filter, order, request) in &asked {
        alone.push(ids(world.services.loans(actor, filter, order, request).await.unwrap()));
    }
    let east = filled.branch("EAST").id;
    assert!(
        filled
            .loans
            .iter()
            .filter(|loan| alone[6].contains(&loan.id))
            .all(|loan| filled.is_under(loan.branch_id, &[east]))
    );
    let together = join_all((0..10).flat_map(|_| &asked).map(|(actor, filter, order, request)| async {
        ids(world.services.loans(actor, filter, order, request).await.unwrap())
    }));
    for (place, page) in together.await.into_iter().enumerate() {
        assert_eq!(page, alone[place % asked.len()], "{:?}", asked[place % asked.len()].1);
    }
}

/// Every order of a list, both ways, from every fifth place of it.
async fn pages_from_different_places_share_statements(engine: Engine) {
    let (world, _) = filled(engine).await;
    let key = |field, descending| SortKey { field, descending };
    let orders = [
        vec![],
        vec![key(LoanField::CreatedAt, true)],
        vec![key(LoanField::Principal, false), key(LoanField::Number, true)],
        vec![key(LoanField::Status, true), key(LoanField::OldestUnpaidDueOn, true)],
    ];
    type Seen = (Vec<(String, Uuid)>, bool, bool);
    let seen = |page: branch_loan_api::service::list::Page<Arc<LoanRecord>>| -> Seen {
        let rows = page.rows.iter().map(|(cursor, loan)| (cursor.to_string(), loan.id)).collect();
        (rows, page.has_previous, page.has_next)
    };
    let (mut sent_alone, mut sent_together) = (0, 0);
    for actor in [admin(), officer_of("EAST")] {
        for order in &orders {
            let read = async |request: PageRequest| {
                seen(world.services.loans(&actor, &Filter::default(), order, &request).await.unwrap())
            };
            let (all, ..) = read(PageRequest { size: 1_000, ..FIRST }).await;
            for backward in [false, true] {
                let from = |cursor: &str| PageRequest { size: 9, backward, cursor: Some(cursor.to_owned()) };
                let requests: Vec<PageRequest> = all.iter().step_by(5).map(|(cursor, _)| from(cursor)).collect();
                world.statements.take();
                let mut alone = Vec::new();
                for request in &requests {
                    alone.push(read(request.clone()).await);
                }
                sent_alone += world.statements.take().len();
                let together = join_all(requests.iter().map(|request| read(request.clone()))).await;
                assert_eq!(together, alone, "{order:?}");
                sent_together += world.statements.take().len();
            }
        }
    }
    let is_shared = !world.database.is_postgres() || sent_together * 2 < sent_alone;
    assert!(is_shared, "{sent_together} statements where {sent_alone} would be one for each page");
}

async fn a_page_has_what_was_committed_before(engine: Engine) {
    let (world, filled) = filled(engine).await;
    let database = &world.database;
    let own = Filter::Field(LoanField::Number, Test::Is(Scalar::Text(filled.loans[0].number.clone())));
    let (actor, gather) = (admin(), gather());
    let read = || gather.page(database.reader(), &Scope::All, &own, &[], &FIRST);
    let changes = async {
        let mut loan = filled.loans[0].clone();
        for _ in 0..20 {
            loan.version += 1;
            let changed = &loan;
            database.write(|transaction| async move { loans::update(&*transaction, changed).await }).await.unwrap();
            assert_eq!(read().await.unwrap().rows[0].1.version, loan.version);
        }
    };
    beside(changes, async || drop(read().await.unwrap())).await;
    assert!(world.services.loans(&actor, &own, &[], &FIRST).await.unwrap().rows.len() == 1);
}
