//! Who may import whom: the table of docs/ARCHITECTURE.md, held against the sources and the manifests. And what may not
//! be used at all, or in one place only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::sources::{self, Source};

/// The modules of the server that the table speaks of.
const MODULES: [&str; 7] = ["config", "telemetry", "auth", "store", "service", "graphql", "http"];

/// Modules of one file that everything below them may be told apart from.
const SEAMS: [&str; 2] = ["clock", "ids"];

/// The table: which of our modules and crates each module may import.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(sources::root().join("docs/ARCHITECTURE.md")).unwrap();
    let rows = text.lines().skip_while(|line| *line != "| module | may import |").skip(2);
    let mut table = BTreeMap::new();
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [modules, allowed] = cells[..] else { panic!("not two cells: {row}") };
        // What stands after a semicolon is an explanation.
        let allowed = allowed.split(';').next().unwrap_or_default();
        for module in modules.split(", ") {
            let allowed = allowed.split(", ").map(str::to_owned).collect();
            table.insert(module.to_owned(), allowed);
        }
    }
    table
}

/// The module of `src/` a file belongs to.
fn module(source: &Source) -> String {
    let below = source.path.strip_prefix("src/").unwrap();
    below.split(['/', '.']).next().unwrap().to_owned()
}

/// The names after `prefix` in a line: `crate::store::page` gives `store` for `crate::`.
fn names_after<'a>(line: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices(prefix).filter_map(move |(start, _)| {
        let whole_word = !line[..start].ends_with(|before: char| before.is_alphanumeric() || "_:".contains(before));
        let rest = &line[start + prefix.len()..];
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
        whole_word.then_some(&rest[..end])
    })
}

fn uses(line: &str, name: &str) -> bool {
    names_after(line, name).any(str::is_empty)
}

#[test]
fn modules_import_what_the_table_of_the_architecture_allows() {
    let table = table();
    let mut wrong = Vec::new();
    for source in sources::rust(&["src"]).iter().filter(|source| !source.is_test()) {
        let module = module(source);
        if !MODULES.contains(&module.as_str()) {
            continue;
        }
        let allowed = table.get(&module).unwrap_or_else(|| panic!("docs/ARCHITECTURE.md has no row for {module}"));
        for (number, line) in source.lines() {
            let crates = ["lending", "migration"].into_iter().filter(|name| {
                // A module may have a part of the same name.
                let own = sources::root().join(format!("src/{module}/{name}.rs")).exists();
                !own && uses(line, name) && line.contains(&format!("{name}::"))
            });
            let ours = names_after(line, "crate::").chain(crates);
            for name in ours.filter(|name| *name != module && !allowed.contains(*name)) {
                wrong.push(format!("{}:{number}: {module} may not import {name:?}: {}", source.path, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "see \"Who may import whom\" in docs/ARCHITECTURE.md:\n{}", wrong.join("\n"));
}

#[test]
fn the_table_speaks_of_every_module_and_only_of_modules_that_exist() {
    let table = table();
    let modules: BTreeSet<String> = sources::rust(&["src"])
        .iter()
        .map(module)
        .filter(|module| !["main", "lib"].contains(&module.as_str()))
        .collect();
    for module in &modules {
        assert!(table.contains_key(module) || SEAMS.contains(&module.as_str()), "no row for {module}");
    }
    for module in table.keys().filter(|module| !["lending", "migration"].contains(&module.as_str())) {
        assert!(modules.contains(module), "a row for {module}, which does not exist");
    }
}

/// A path of `super`s that leaves its module would slip past the table.
#[test]
fn modules_name_each_other_from_the_root() {
    for source in sources::rust(&["src"]) {
        let depth = source.path.trim_end_matches("/mod.rs").trim_end_matches(".rs").split('/').count() - 1;
        for (number, line) in source.lines() {
            // Modules inside a file are one deeper.
            let depth = depth + usize::from(line.starts_with(' '));
            let climbs = (1..=line.matches("super::").count()).rev().find(|n| line.contains(&"super::".repeat(*n)));
            assert!(climbs.unwrap_or(0) < depth, "{}:{number}: write crate:: here: {}", source.path, line.trim());
            assert!(!line.contains("crate::{"), "{}:{number}: one module a line: {}", source.path, line.trim());
        }
    }
}

/// Each library has its place: what it does stays behind one module.
#[test]
fn libraries_are_used_where_they_belong() {
    let places: [(&str, &[&str]); 9] = [
        ("sea_orm", &["store"]),
        ("async_graphql", &["graphql", "http"]),
        ("axum", &["http", "app"]),
        ("jsonwebtoken", &["auth"]),
        ("clap", &["config", "commands", "main"]),
        ("prometheus", &["telemetry"]),
        ("opentelemetry", &["telemetry"]),
        ("opentelemetry_sdk", &["telemetry"]),
        ("opentelemetry_otlp", &["telemetry"]),
    ];
    for source in sources::rust(&["src"]).iter().filter(|source| !source.is_test()) {
        for (library, modules) in places {
            let may = modules.contains(&module(source).as_str());
            let found = source.lines().find(|(_, line)| uses(line, library) && line.contains("::"));
            if let Some((number, line)) = found.filter(|_| !may) {
                panic!("{}:{number}: {library} belongs to {modules:?}: {}", source.path, line.trim());
            }
        }
    }
}

#[test]
fn the_crates_depend_on_what_the_table_allows() {
    for (name, allowed) in [
        ("lending", &["chrono", "iso_currency", "rust_decimal", "serde", "thiserror"][..]),
        // async-trait is how sea-orm-migration's own trait is written down.
        ("migration", &["async-trait", "sea-orm-migration"][..]),
    ] {
        let manifest = fs::read_to_string(sources::root().join(name).join("Cargo.toml")).unwrap();
        let section = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
        let dependencies: Vec<&str> = section
            .take_while(|line| !line.starts_with('['))
            .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
            .map(|line| line.split(['.', ' ', '=']).next().unwrap())
            .collect();
        assert!(!dependencies.is_empty());
        for dependency in dependencies {
            assert!(allowed.contains(&dependency), "{name} may not depend on {dependency}");
        }
    }
    let code = sources::rust(&["lending/src"]);
    for source in &code {
        for (number, line) in source.lines() {
            for word in ["async", "rand", "tokio"] {
                assert!(!uses(line, word), "{}:{number}: lending is pure: {}", source.path, line.trim());
            }
        }
    }
}

#[test]
fn the_time_of_day_is_read_in_one_place() {
    // A request's id is made from the machine's clock, so that ids sort in the log; nothing is decided by it.
    let exceptions = [("src/clock.rs", "Utc::now"), ("src/http/observe.rs", "now_v7")];
    let readers = ["Utc::now", "Local::now", "SystemTime::now", "OffsetDateTime::now", "now_v7", "UNIX_EPOCH.elapsed"];
    for source in sources::rust(&["src", "lending", "migration"]).iter().filter(|source| !source.is_test()) {
        for (number, line) in source.lines() {
            for reader in readers.into_iter().filter(|reader| line.contains(reader)) {
                let known = exceptions.contains(&(source.path.as_str(), reader));
                assert!(known, "{}:{number}: ask crate::clock for the time: {}", source.path, line.trim());
            }
        }
    }
}

#[test]
fn there_are_no_floating_point_numbers() {
    for source in sources::rust(&["src", "lending", "migration"]).iter().filter(|source| !source.is_test()) {
        for (number, line) in source.lines() {
            for float in ["f32", "f64"] {
                assert!(!uses(line, float), "{}:{number}: no {float} here: {}", source.path, line.trim());
            }
        }
    }
}

#[test]
fn the_readers_of_these_tests_see_what_they_look_for() {
    assert!(uses("let a: f64 = 1;", "f64"));
    assert!(!uses("let leaf64 = 1;", "f64"));
    assert!(!uses("let f64s = 1;", "f64"));
    assert_eq!(
        names_after("use crate::store::page; crate::auth::can()", "crate::").collect::<Vec<_>>(),
        ["store", "auth"]
    );
    assert_eq!(names_after("use my_crate::store;", "crate::").count(), 0);
    assert!(table()["graphql"].contains("service"));
    assert!(!table()["graphql"].contains("store"));
}
