//! Reads Prometheus' text format, and is strict about it: every sample belongs to a family that has been introduced with
//! its help and its type, and is well formed.

use std::collections::BTreeMap;

/// What a server tells of itself.
#[derive(Debug, Default)]
pub struct Metrics {
    /// The text as it came.
    pub text: String,
    types: BTreeMap<String, String>,
    samples: BTreeMap<String, String>,
}

impl Metrics {
    pub fn read(text: &str) -> Self {
        let mut metrics = Self { text: text.to_owned(), ..Self::default() };
        let mut helped = None;
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert!(!help.trim().is_empty(), "{line}");
                helped = Some(name.to_owned());
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert_eq!(helped.take().as_deref(), Some(name), "the help comes first: {line}");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                let before = metrics.types.insert(name.to_owned(), kind.to_owned());
                assert!(before.is_none(), "introduced twice: {line}");
            } else {
                metrics.sample(line);
            }
        }
        assert!(!metrics.samples.is_empty(), "{text}");
        metrics
    }

    fn sample(&mut self, line: &str) {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("not a sample: {line}"));
        assert!(value.parse::<f64>().is_ok(), "not a number: {line}");
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let name_letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        assert!(name.chars().all(name_letter), "{line}");
        let labels = labels.strip_suffix('}').unwrap_or_else(|| panic!("no end of labels: {line}"));
        for label in labels.split(',').filter(|label| !label.is_empty()) {
            let (label, value) = label.split_once('=').unwrap_or_else(|| panic!("not a label: {line}"));
            assert!(label.chars().all(name_letter), "{line}");
            assert!(value.len() >= 2 && value.starts_with('"') && value.ends_with('"'), "{line}");
        }
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| {
            let family = name.strip_suffix(end)?;
            (self.types.get(family)? == "histogram").then_some(family)
        });
        assert!(self.types.contains_key(family.unwrap_or(name)), "nobody introduced it: {line}");
        assert!(self.samples.insert(series.to_owned(), value.to_owned()).is_none(), "told twice: {line}");
    }

    /// The sum of the series of this name that have all of these labels, which are whole numbers; 0 when there is none.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> i64 {
        let wanted = |series: &&String| {
            let (own, rest) = series.split_once('{').unwrap_or((series, ""));
            let has = |(label, value): &(&str, &str)| {
                let pair = format!("{label}=\"{value}\"");
                rest.trim_end_matches('}').split(',').any(|one| one == pair)
            };
            own == name && labels.iter().all(has)
        };
        let found = self.samples.iter().filter(|(series, _)| wanted(series));
        found.map(|(_, value)| value.parse::<i64>().unwrap_or_else(|error| panic!("{name}: {value}: {error}"))).sum()
    }

    /// Names of the families.
    pub fn families(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }

    /// How many series there are.
    pub fn series(&self) -> usize {
        self.samples.len()
    }
}
