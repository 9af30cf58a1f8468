//! Aligned columns.

use unicode_width::UnicodeWidthStr;

use super::text::visible;

/// How a cell looks on a terminal with colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Bold,
    Good,
    Notice,
    Bad,
}

impl Style {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Bold => Some("1"),
            Self::Good => Some("32"),
            Self::Notice => Some("33"),
            Self::Bad => Some("31"),
        }
    }

    /// The text in this style; it must be harmless already.
    pub(super) fn paint(self, text: &str, colour: bool) -> String {
        match self.code().filter(|_| colour) {
            Some(code) => format!("\x1b[{code}m{text}\x1b[0m"),
            None => text.to_owned(),
        }
    }
}

/// A text that is harmless, and how it looks.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    text: String,
    style: Style,
    right: bool,
}

impl Cell {
    pub(super) fn styled(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    fn padded(&self, width: usize, last: bool, colour: bool) -> String {
        let padding = " ".repeat(width.saturating_sub(self.text.width()));
        let text = self.style.paint(&self.text, colour);
        match (self.right, last) {
            (true, _) => padding + &text,
            (false, true) => text,
            (false, false) => text + &padding,
        }
    }
}

/// Words stand left.
pub(super) fn word(text: impl AsRef<str>) -> Cell {
    Cell {
        text: visible(text.as_ref()).into_owned(),
        style: Style::Plain,
        right: false,
    }
}

/// Numbers stand right.
pub(super) fn number(text: impl ToString) -> Cell {
    Cell {
        text: text.to_string(),
        style: Style::Plain,
        right: true,
    }
}

/// Rows of as many cells as there are headings.
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    rows: Vec<[Cell; N]>,
}

impl<const N: usize> Table<N> {
    /// A heading stands as its column's cells do: right if it begins with `>`.
    pub(super) fn new(headings: [&str; N]) -> Self {
        let heading = |text: &str| match text.strip_prefix('>') {
            Some(text) => number(text).styled(Style::Bold),
            None => word(text).styled(Style::Bold),
        };
        Self {
            rows: vec![headings.map(heading)],
        }
    }

    pub(super) fn push(&mut self, row: [Cell; N]) {
        self.rows.push(row);
    }

    /// The lines, headings first.
    pub(super) fn lines(&self, colour: bool) -> impl Iterator<Item = String> {
        let mut widths = [0; N];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.text.width().max(*width);
            }
        }
        self.rows.iter().map(move |row| {
            let cells = row.iter().zip(widths).enumerate();
            let cells = cells.map(|(i, (cell, width))| cell.padded(width, i + 1 == N, colour));
            cells.collect::<Vec<_>>().join("  ")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(colour: bool) -> Vec<String> {
        let mut table = Table::new(["HOST", ">COUNT", "VERDICT"]);
        table.push([word("漢.example"), number(7), word("clean")]);
        table.push([
            word("a\x1b[2J"),
            number(1234),
            word("blocked").styled(Style::Bad),
        ]);
        table.lines(colour).collect()
    }

    #[test]
    fn columns_are_aligned_and_nothing_is_obeyed() {
        assert_eq!(
            lines(false),
            [
                "HOST        COUNT  VERDICT",
                "漢.example      7  clean",
                "a\\u{1b}[2J   1234  blocked",
            ]
        );
    }

    #[test]
    fn colour_does_not_count_as_width() {
        assert_eq!(lines(true)[2], "a\\u{1b}[2J   1234  \x1b[31mblocked\x1b[0m");
    }
}
