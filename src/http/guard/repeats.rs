//! Whether a document selects an object more than once in one place, as in `{ loan { id } loan { number } }`, so that the
//! library has to put two answers together: it can do that with values, not with what is JSON already.

use std::collections::HashSet;

use async_graphql_parser::types::{ExecutableDocument, Selection, SelectionSet};

/// The most selections that are looked at, those of fragments once for each place they are spread in: no honest document
/// has a tenth of them, and a hostile one is not worth more.
const MOST: usize = 10_000;

/// Whether it does anywhere, or is too long to tell. Fragments on different types that select the same object count as well.
pub(super) fn selects_an_object_again(document: &ExecutableDocument) -> bool {
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    // A list of its own, here and below: sets may lie as deep, and chains of fragments be as long, as the document.
    let mut sets: Vec<_> = operations.chain(fragments).collect();
    let mut left = MOST;
    while let Some(set) = sets.pop() {
        if repeats(document, set, &mut left) {
            return true;
        }
        sets.extend(below(set));
    }
    false
}

/// The sets directly below one; those of fragments that are spread are seen where the fragment is.
fn below(set: &SelectionSet) -> impl Iterator<Item = &SelectionSet> {
    set.items.iter().filter_map(|selection| match &selection.node {
        Selection::Field(field) => Some(&field.node.selection_set.node),
        Selection::InlineFragment(fragment) => Some(&fragment.node.selection_set.node),
        Selection::FragmentSpread(_) => None,
    })
}

/// Whether an object is selected again in the place of this set, or nothing is left of what may be looked at.
fn repeats(document: &ExecutableDocument, set: &SelectionSet, left: &mut usize) -> bool {
    let mut objects = HashSet::new();
    let mut spread = HashSet::new();
    let mut here = vec![set];
    while let Some(set) = here.pop() {
        let Some(still) = left.checked_sub(set.items.len()) else { return true };
        *left = still;
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) if field.node.selection_set.node.items.is_empty() => {}
                Selection::Field(field) => {
                    if !objects.insert(&field.node.response_key().node) {
                        return true;
                    }
                }
                Selection::InlineFragment(fragment) => here.push(&fragment.node.selection_set.node),
                Selection::FragmentSpread(fragment) => {
                    let name = &fragment.node.fragment_name.node;
                    // The same fragment once more says the same.
                    if let Some(fragment) = document.fragments.get(name).filter(|_| spread.insert(name)) {
                        here.push(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
    false
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use async_graphql_parser::parse_query;

    use super::*;

    #[test]
    fn a_document_that_takes_too_long_counts_as_one_that_does() {
        let text = |fields: usize| format!("{{ {} }}", "id ".repeat(fields));
        assert!(!selects_an_object_again(&parse_query(text(MOST)).unwrap()));
        assert!(selects_an_object_again(&parse_query(text(MOST + 1)).unwrap()));
    }

    #[test]
    fn objects_that_are_selected_again_are_found_wherever_they_are() {
        for (text, again) in [
            ("{ loan { id } loan { number } }", true),
            ("{ one: loan { id } loan { number } }", false),
            ("{ loan { id id } }", false),
            ("{ loans { nodes { branch { id } ... { branch { name } } } } }", true),
            ("{ loans { ...A nodes { id } } } fragment A on LoanConnection { nodes { number } }", true),
            ("{ loans { ...A ...A } } fragment A on LoanConnection { nodes { number } }", false),
            ("{ loans { ...A } } fragment A on LoanConnection { nodes { branch { id } branch { id } } }", true),
            ("{ loans { ...A } other: loans { ...A } } fragment A on LoanConnection { nodes { id } }", false),
            ("query a { loan { id } } query b { loan { id } loan { id } }", true),
            ("{ node { ... on Loan { branch { id } } ... on Group { branch { id } } } }", true),
            ("{ ... { ... { loan { id } } loan { id } } }", true),
            ("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", false),
        ] {
            assert_eq!(selects_an_object_again(&parse_query(text).unwrap()), again, "{text}");
        }
    }
}
