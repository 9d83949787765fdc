//! Random documents over the toy schema, as trees of their own: they can be written as text for the guard, and
//! measured by plain expansion, without the memo and without the parser.

use proptest::prelude::*;

/// A selection on a loan.
#[derive(Debug, Clone)]
pub(super) enum Row {
    Id,
    Alias,
    Payments(Page, Vec<Part>),
    Inline(Vec<Row>),
    Spread(usize),
}

/// A selection on a connection.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Nodes(Vec<Row>),
    Edges(Vec<Row>),
    Count,
    Inline(Vec<Part>),
    Spread(usize),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Page {
    Default,
    Fixed(u32),
    Variable,
}

/// One operation `{ loans { …parts } }` and fragments on both types, each spreading earlier ones only.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) parts: Vec<Part>,
    pub(super) rows: Vec<Vec<Row>>,
    pub(super) connections: Vec<Vec<Part>>,
    pub(super) variable: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Measures {
    pub(super) selections: u64,
    pub(super) aliases: u64,
    pub(super) depth: u64,
    pub(super) nesting: u64,
    pub(super) once: u64,
    pub(super) item: u64,
}

impl Measures {
    fn beside(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            depth: self.depth.max(other.depth),
            nesting: self.nesting.max(other.nesting),
            once: self.once.saturating_add(other.once),
            item: self.item.saturating_add(other.item),
        }
    }

    fn within(self, depth: u64) -> Self {
        let selections = self.selections.saturating_add(1);
        Self { selections, depth: self.depth + depth, nesting: self.nesting + 1, ..self }
    }
}

const LEAF: Measures = Measures { selections: 1, aliases: 0, depth: 1, nesting: 0, once: 1, item: 0 };

impl Document {
    pub(super) fn measure(&self) -> Measures {
        let inner = self.measure_parts(&self.parts, self.rows.len());
        let once = 1 + inner.once + 20_u64.saturating_mul(inner.item);
        Measures { once, item: 0, ..inner.within(1) }
    }

    fn measure_rows(&self, rows: &[Row], level: usize) -> Measures {
        rows.iter().map(|row| self.measure_row(row, level)).fold(Measures::default(), Measures::beside)
    }

    fn measure_row(&self, row: &Row, level: usize) -> Measures {
        match row {
            Row::Id => LEAF,
            Row::Alias => Measures { aliases: 1, ..LEAF },
            Row::Payments(page, parts) => {
                let inner = self.measure_parts(parts, level);
                let page = match page {
                    Page::Default => 20,
                    Page::Fixed(size) => u64::from(*size),
                    Page::Variable => self.variable.map_or(20, u64::from),
                };
                let once = 1_u64.saturating_add(inner.once).saturating_add(page.saturating_mul(inner.item));
                Measures { once, item: 0, ..inner.within(1) }
            }
            Row::Inline(rows) => self.measure_rows(rows, level).within(0),
            Row::Spread(index) => match target(*index, level) {
                Some(at) => self.measure_rows(&self.rows[at], at).within(0),
                None => LEAF,
            },
        }
    }

    fn measure_parts(&self, parts: &[Part], level: usize) -> Measures {
        parts.iter().map(|part| self.measure_part(part, level)).fold(Measures::default(), Measures::beside)
    }

    fn measure_part(&self, part: &Part, level: usize) -> Measures {
        match part {
            Part::Nodes(rows) => {
                let inner = self.measure_rows(rows, level);
                Measures { once: 1, item: inner.once, ..inner.within(1) }
            }
            Part::Edges(rows) => {
                let inner = self.measure_rows(rows, level);
                Measures { once: 1, item: inner.once.saturating_add(1), ..inner.within(1).within(1) }
            }
            Part::Count => Measures { once: 10, ..LEAF },
            Part::Inline(parts) => self.measure_parts(parts, level).within(0),
            Part::Spread(index) => match target(*index, level) {
                Some(at) => self.measure_parts(&self.connections[at], at).within(0),
                None => Measures { once: 10, ..LEAF },
            },
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("query($n: Int) {{ loans {{ {} }} }}", parts_text(&self.parts, self.rows.len()));
        for (at, rows) in self.rows.iter().enumerate() {
            text.push_str(&format!(" fragment R{at} on Loan {{ {} }}", rows_text(rows, at)));
        }
        for (at, parts) in self.connections.iter().enumerate() {
            text.push_str(&format!(" fragment C{at} on LoanConnection {{ {} }}", parts_text(parts, at)));
        }
        text
    }
}

/// The fragment a spread at `level` means: one of the earlier ones, if there is any.
fn target(index: usize, level: usize) -> Option<usize> {
    (level > 0).then(|| index % level)
}

fn rows_text(rows: &[Row], level: usize) -> String {
    let text = |row: &Row| match row {
        Row::Id => "id ".to_owned(),
        Row::Alias => "other: id ".to_owned(),
        Row::Payments(page, parts) => {
            let page = match page {
                Page::Default => String::new(),
                Page::Fixed(size) => format!("(first: {size})"),
                Page::Variable => "(last: $n)".to_owned(),
            };
            format!("payments{page} {{ {} }} ", parts_text(parts, level))
        }
        Row::Inline(rows) => format!("... on Loan {{ {} }} ", rows_text(rows, level)),
        Row::Spread(index) => target(*index, level).map_or("id ".to_owned(), |at| format!("...R{at} ")),
    };
    rows.iter().map(text).collect()
}

fn parts_text(parts: &[Part], level: usize) -> String {
    let text = |part: &Part| match part {
        Part::Nodes(rows) => format!("nodes {{ {} }} ", rows_text(rows, level)),
        Part::Edges(rows) => format!("edges {{ node {{ {} }} }} ", rows_text(rows, level)),
        Part::Count => "totalCount ".to_owned(),
        Part::Inline(parts) => format!("... {{ {} }} ", parts_text(parts, level)),
        Part::Spread(index) => target(*index, level).map_or("totalCount ".to_owned(), |at| format!("...C{at} ")),
    };
    parts.iter().map(text).collect()
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let leaf = prop_oneof![Just(Row::Id), Just(Row::Alias), (0..8_usize).prop_map(Row::Spread)];
    let row = leaf.prop_recursive(3, 12, 3, |row| {
        let rows = prop::collection::vec(row, 1..3);
        let page = prop_oneof![Just(Page::Default), (0..200_u32).prop_map(Page::Fixed), Just(Page::Variable)];
        let part = prop_oneof![
            Just(Part::Count),
            (0..8_usize).prop_map(Part::Spread),
            rows.clone().prop_map(Part::Nodes),
            rows.clone().prop_map(Part::Edges),
            rows.clone().prop_map(|rows| Part::Inline(vec![Part::Nodes(rows), Part::Count])),
        ];
        let parts = prop::collection::vec(part, 1..3);
        prop_oneof![rows.prop_map(Row::Inline), (page, parts).prop_map(|(page, parts)| Row::Payments(page, parts))]
    });
    prop::collection::vec(row, 1..4)
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let part = prop_oneof![
        Just(Part::Count),
        (0..8_usize).prop_map(Part::Spread),
        rows().prop_map(Part::Nodes),
        rows().prop_map(Part::Edges),
        rows().prop_map(|rows| Part::Inline(vec![Part::Edges(rows)])),
    ];
    prop::collection::vec(part, 1..3)
}

/// Documents of up to four fragments on either type.
pub(super) fn documents() -> impl Strategy<Value = Document> {
    let fragments = (0..4_usize)
        .prop_flat_map(|count| (prop::collection::vec(rows(), count), prop::collection::vec(parts(), count)));
    (parts(), fragments, prop::option::of(0..1_000_u32)).prop_map(|(parts, (rows, connections), variable)| Document {
        parts,
        rows,
        connections,
        variable,
    })
}
