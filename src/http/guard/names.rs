//! Keeps the names of the schema from those who may not introspect it: out of a message goes every name that the question
//! did not have. Guessing by trial and error then learns only whether a guess was right. It changes nothing but words.

use std::collections::HashSet;

use async_graphql_parser::{
    parse_schema,
    types::{FieldDefinition, InputValueDefinition, TypeDefinition, TypeKind, TypeSystemDefinition},
};

/// Names that every schema has, or that `__typename` tells.
const COMMON: [&str; 8] = ["Boolean", "Float", "ID", "Int", "Mutation", "Query", "String", "Subscription"];

/// The names of a schema.
#[derive(Debug, Clone, Default)]
pub struct Names {
    types: HashSet<String>,
    all: HashSet<String>,
}

impl Names {
    /// Reads the names out of the schema's SDL.
    ///
    /// # Errors
    /// The parser's, for text that is not a schema.
    pub fn from_sdl(sdl: &str) -> Result<Self, async_graphql_parser::Error> {
        let mut names = Self::default();
        for definition in parse_schema(sdl)?.definitions {
            if let TypeSystemDefinition::Type(definition) = definition {
                names.learn(&definition.node);
            }
        }
        for common in COMMON {
            names.types.remove(common);
            names.all.remove(common);
        }
        Ok(names)
    }

    fn learn(&mut self, definition: &TypeDefinition) {
        self.types.insert(definition.name.node.to_string());
        self.all.insert(definition.name.node.to_string());
        match &definition.kind {
            TypeKind::Object(object) => object.fields.iter().for_each(|field| self.learn_field(&field.node)),
            TypeKind::Interface(interface) => interface.fields.iter().for_each(|field| self.learn_field(&field.node)),
            TypeKind::InputObject(input) => input.fields.iter().for_each(|field| self.learn_input(&field.node)),
            TypeKind::Enum(values) => {
                self.all.extend(values.values.iter().map(|value| value.node.value.node.to_string()));
            }
            TypeKind::Scalar | TypeKind::Union(_) => {}
        }
    }

    fn learn_field(&mut self, field: &FieldDefinition) {
        self.all.insert(field.name.node.to_string());
        field.arguments.iter().for_each(|argument| self.learn_input(&argument.node));
    }

    fn learn_input(&mut self, input: &InputValueDefinition) {
        self.all.insert(input.name.node.to_string());
    }

    /// The message, with `…` for every name that no part of the question has. Names in quotes are taken for names whatever
    /// they are, others only if they are a type's: the fields of a schema are words of everyday language, too.
    #[must_use]
    pub fn hide(&self, message: &str, question: &[&str]) -> String {
        let asked: HashSet<&str> = question.iter().flat_map(|part| words(part)).collect();
        let mut out = String::with_capacity(message.len());
        let mut quote = None;
        let mut rest = message;
        while let Some(first) = rest.chars().next() {
            let length = rest.find(|letter| !is_part_of_word(letter)).unwrap_or(rest.len());
            if length == 0 {
                quote = match quote {
                    None if matches!(first, '"' | '`') => Some(first),
                    Some(open) if open == first => None,
                    other => other,
                };
                out.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
                continue;
            }
            let (word, after) = rest.split_at(length);
            let names = if quote.is_some() { &self.all } else { &self.types };
            out.push_str(if names.contains(word) && !asked.contains(word) { "…" } else { word });
            rest = after;
        }
        out
    }
}

fn is_part_of_word(letter: char) -> bool {
    letter == '_' || letter.is_ascii_alphanumeric()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter| !is_part_of_word(letter)).filter(|word| !word.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_is_repeated() {
        let names = Names::from_sdl(
            "type Query { loan(by: LoanBy!): Loan } type Loan { status: LoanStatus! } input LoanBy { number: String }
             enum LoanStatus { APPROVED }",
        )
        .unwrap();
        for (message, question, shown) in [
            (r#"Unknown field "lone" on type "Query"."#, "{ lone }", r#"Unknown field "lone" on type "Query"."#),
            (r#"Unknown field "x" on type "Loan"."#, "{ loan { x } }", r#"Unknown field "x" on type "…"."#),
            (r#"expected type "[LoanBy!]""#, "", r#"expected type "[…!]""#),
            ("Variable `$x.number` is required", "query($x: LoanBy)", "Variable `$x.…` is required"),
            ("send a value of type LoanStatus.", "", "send a value of type …."),
            ("send a value of type LoanStatus.", "query($x: LoanStatus)", "send a value of type LoanStatus."),
            ("send the number of the loan, such as \"L-1\"", "", "send the number of the loan, such as \"L-1\""),
            ("Loänge “LoanBy” …", "", "Loänge “…” …"),
            ("\"APPROVED", "", "\"…"),
        ] {
            assert_eq!(names.hide(message, &[question]), shown);
        }
    }
}
