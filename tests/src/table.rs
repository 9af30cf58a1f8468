//! A plain table for people: columns as wide as they need to be.

use std::fmt;

/// Rows of cells below a head.
#[derive(Debug)]
pub struct Table<const N: usize> {
    rows: Vec<[String; N]>,
    right: bool,
}

impl<const N: usize> Table<N> {
    /// A table with this head.
    #[must_use]
    pub fn new(head: [&str; N]) -> Self {
        Self {
            rows: vec![head.map(str::to_owned)],
            right: false,
        }
    }

    /// Sets all columns but the first to the right, as figures are.
    #[must_use]
    pub fn of_figures(mut self) -> Self {
        self.right = true;
        self
    }

    /// Adds a row.
    pub fn push(&mut self, row: [String; N]) {
        self.rows.push(row);
    }

    fn width(&self, column: usize) -> usize {
        self.rows
            .iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: [usize; N] = std::array::from_fn(|column| self.width(column));
        for (n, row) in self.rows.iter().enumerate() {
            if n == 1 {
                let lines = widths.map(|width| "─".repeat(width));
                writeln!(f, "{}", lines.join("──"))?;
            }
            for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
                if self.right && column > 0 {
                    write!(f, "{cell:>width$}")?;
                } else {
                    write!(f, "{cell:width$}")?;
                }
                f.write_str(if column + 1 < N { "  " } else { "\n" })?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["a", "figure"]).of_figures();
        table.push(["ünï".into(), "1".into()]);
        assert_eq!(table.to_string(), "a    figure\n───────────\nünï       1\n");
    }
}
