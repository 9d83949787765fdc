//! What a run came to, and the line that says so.

use std::time::Duration;

use super::checks::Violation;

/// Lines of a log that are printed.
const LOG_LINES: usize = 60;

#[derive(Debug, Default)]
pub struct Figures {
    pub cycles: u64,
    /// What went wrong on purpose, as it is to be read.
    pub breaks: Vec<(u64, &'static str)>,
    pub sent: u64,
    pub acknowledged: u64,
    pub in_doubt: u64,
    pub violations: Vec<Violation>,
    /// What the server logged, for whoever looks into a violation.
    pub log: String,
}

impl Figures {
    /// The end of the log.
    pub fn end_of_log(&self) -> String {
        let lines: Vec<&str> = self.log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// The closing line.
    pub fn line(&self, title: &str, took: Duration) -> String {
        let count =
            |which: fn(&Violation) -> bool| grouped(self.violations.iter().filter(|one| which(one)).count() as u64);
        let lost = count(|one| matches!(one, Violation::Lost(_)));
        let doubled = count(|one| matches!(one, Violation::Doubled(_)));
        let breaks: String = self.breaks.iter().map(|(count, what)| format!("{} {what}, ", grouped(*count))).collect();
        let verdict = match self.violations.len() {
            0 => "books hold".to_owned(),
            count => format!("{count} VIOLATIONS"),
        };
        format!(
            "crash: {title}: {} cycles, {breaks}{} sent, {} acknowledged, {} in doubt and retried, {lost} lost, {doubled} doubled, \
             {verdict} ({} s)",
            grouped(self.cycles),
            grouped(self.sent),
            grouped(self.acknowledged),
            grouped(self.in_doubt),
            took.as_secs(),
        )
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let (mut text, length) = (String::new(), digits.len());
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (length - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
