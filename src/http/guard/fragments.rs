//! The order in which fragments can be measured: every fragment after those it spreads. It makes every later walk
//! linear, and it is where cycles are refused; it looks at names only, never at the schema.

use std::collections::HashMap;

use async_graphql::{Name, Pos};
use async_graphql_parser::types::{ExecutableDocument, FragmentDefinition, Selection, SelectionSet};

use super::refusal::Refusal;

/// A fragment of a document, with its name.
pub type NamedFragment<'a> = (&'a Name, &'a FragmentDefinition);

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Open,
    Done,
}

/// The document's fragments, each after those it spreads.
///
/// # Errors
/// `FRAGMENT_CYCLE` when a fragment spreads itself, directly or through others.
pub fn leaf_first(document: &ExecutableDocument) -> Result<Vec<NamedFragment<'_>>, Refusal> {
    let mut roots: Vec<_> = document.fragments.iter().collect();
    // A hash map's order differs from run to run; the same document must be refused at the same place.
    roots.sort_by_key(|(_, fragment)| fragment.pos);
    let spreads: HashMap<&str, Vec<(&Name, Pos)>> = roots
        .iter()
        .map(|(name, fragment)| {
            let mut found = Vec::new();
            collect_spreads(&fragment.node.selection_set.node, &mut found);
            (name.as_str(), found)
        })
        .collect();

    let mut marks: HashMap<&str, Mark> = HashMap::new();
    let mut order = Vec::with_capacity(roots.len());
    for (root, _) in roots {
        if marks.contains_key(root.as_str()) {
            continue;
        }
        marks.insert(root, Mark::Open);
        // A stack of its own: a chain of fragments may be as long as the document.
        let mut stack = vec![(root, 0_usize)];
        while let Some((name, next)) = stack.pop() {
            let Some((spread, pos)) = spreads.get(name.as_str()).and_then(|list| list.get(next)).copied() else {
                marks.insert(name, Mark::Done);
                if let Some((name, fragment)) = document.fragments.get_key_value(name) {
                    order.push((name, &fragment.node));
                }
                continue;
            };
            stack.push((name, next.saturating_add(1)));
            match marks.get(spread.as_str()) {
                Some(Mark::Open) => {
                    let message = format!("Fragment \"{spread}\" spreads itself: remove one of the spreads.");
                    return Err(Refusal::guard("FRAGMENT_CYCLE", message).at(pos));
                }
                Some(Mark::Done) => {}
                // An unknown fragment is left to validation.
                None if document.fragments.contains_key(spread) => {
                    marks.insert(spread, Mark::Open);
                    stack.push((spread, 0));
                }
                None => {}
            }
        }
    }
    Ok(order)
}

fn collect_spreads<'a>(set: &'a SelectionSet, found: &mut Vec<(&'a Name, Pos)>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => collect_spreads(&field.node.selection_set.node, found),
            Selection::InlineFragment(inline) => collect_spreads(&inline.node.selection_set.node, found),
            Selection::FragmentSpread(spread) => found.push((&spread.node.fragment_name.node, spread.pos)),
        }
    }
}
