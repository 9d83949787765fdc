//! Alert rules, the dashboard and the table of docs/OPERATIONS.md speak of the metrics that the server has, and of no others.

use std::collections::BTreeSet;
use std::fs;

use branch_loan_api::telemetry::metrics::Metrics;
use serde_json::Value as Json;

use super::sources;

const RULES: &str = "deploy/observability/prometheus/rules/branch-loan-api.yml";

/// Of the server's metrics; the others look at the log.
const DASHBOARD: &str = "deploy/observability/grafana/dashboards/branch-loan-api.json";

/// Words of a query that are no metric; `up` is Prometheus' own, `job` a label by which dashboards choose.
const WORDS: [&str; 14] = [
    "and",
    "avg_over_time",
    "by",
    "count",
    "histogram_quantile",
    "increase",
    "job",
    "label_values",
    "max",
    "min",
    "rate",
    "sum",
    "time",
    "topk",
];

fn families() -> BTreeSet<String> {
    Metrics::default().families().iter().map(|family| family.name.clone()).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(sources::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The queries of the alert rules.
fn rules() -> Vec<String> {
    let text = read(RULES);
    let after = text.split(" expr:").skip(1);
    let queries = after.map(|rest| rest.split(" for:").next().unwrap().split(" labels:").next().unwrap().to_owned());
    queries.collect()
}

/// The queries of the dashboard.
fn dashboard() -> Vec<String> {
    fn collect(value: &Json, found: &mut Vec<String>) {
        match value {
            Json::Object(fields) => {
                for (name, value) in fields {
                    match value.as_str().filter(|_| name == "expr" || name == "definition") {
                        Some(query) => found.push(query.to_owned()),
                        None => collect(value, found),
                    }
                }
            }
            Json::Array(values) => values.iter().for_each(|value| collect(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(&serde_json::from_str(&read(DASHBOARD)).unwrap(), &mut found);
    found
}

/// The metrics a query names: its words without labels, ranges, groupings, variables and what PromQL itself knows.
fn named(query: &str) -> BTreeSet<String> {
    let mut plain = String::new();
    let mut rest = query.replace("by (", "by{").replace("by(", "by{");
    // The end of a grouping is the end of its parenthesis.
    while let Some(start) = rest.find(['{', '[', '#']) {
        plain.push_str(&rest[..start]);
        plain.push(' ');
        let end = match &rest[start..=start] {
            "[" => "]",
            "#" => "\n",
            _ if rest[..start].ends_with("by") => ")",
            _ => "}",
        };
        let after = rest[start..].find(end).map_or(rest.len(), |found| start + found + 1);
        rest = rest[after..].to_owned();
    }
    plain.push_str(&rest);
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '$';
    let words = plain.split(|letter: char| !is_word(letter)).filter(|word| word.starts_with(char::is_alphabetic));
    words.filter(|word| !WORDS.contains(word) && *word != "up").map(str::to_owned).collect()
}

fn exists(name: &str, families: &BTreeSet<String>) -> bool {
    let of_histogram = ["_bucket", "_count", "_sum"].iter().filter_map(|end| name.strip_suffix(end));
    families.contains(name) || of_histogram.into_iter().any(|family| families.contains(family))
}

#[test]
fn rules_and_the_dashboard_ask_for_metrics_that_exist() {
    let families = families();
    let (rules, panels) = (rules(), dashboard());
    assert!(rules.len() > 10 && panels.len() > 20, "{} rules, {} panels", rules.len(), panels.len());
    for query in rules.iter().chain(&panels) {
        for name in named(query) {
            assert!(exists(&name, &families), "nobody counts {name}: {query}");
        }
    }
    let all: BTreeSet<String> = panels.iter().flat_map(|query| named(query)).collect();
    assert!(all.len() > 20, "the reader of this test sees too little: {all:?}");
}

#[test]
fn every_metric_is_documented() {
    let page = read("docs/OPERATIONS.md");
    let missing: Vec<_> = families().into_iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/OPERATIONS.md, \"Watching it\", does not tell of {missing:?}");
}

#[test]
fn every_alert_is_documented_and_tested() {
    let (rules, page, tests) =
        (read(RULES), read("docs/OPERATIONS.md"), read("deploy/observability/prometheus/branch-loan-api_test.yml"));
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 10, "{alerts:?}");
    for alert in alerts {
        assert!(page.contains(&format!("`{alert}`")), "docs/OPERATIONS.md does not tell of {alert}");
        assert!(tests.contains(&format!("alertname: {alert}\n        exp_alerts:")), "{alert} never fires in a test");
    }
}

#[test]
fn the_reader_of_queries_sees_what_it_looks_for() {
    let query =
        "topk(3, sum by (code, le) (rate(a_total{code=~\"x_y\"}[5m]))) > 2.5 and time() - max(b{job=~\"$job\"})";
    assert_eq!(named(query), BTreeSet::from(["a_total".to_owned(), "b".to_owned()]));
}
