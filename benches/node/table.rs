//! Tables, for the eye and in Markdown.

/// Rows of cells under a heading each.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table. The first two columns are words, the others numbers.
    pub(crate) fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(ToString::to_string).collect()] }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// The table with a title above it.
    pub(crate) fn titled(&self, title: &str, is_markdown: bool) -> String {
        let widths: Vec<_> = (0..self.rows[0].len()).map(|column| self.width(column)).collect();
        let [first, between, last, mark] =
            if is_markdown { ["| ", " | ", " |\n", "### "] } else { ["", "  ", "\n", ""] };
        let mut lines = self.rows.iter().map(|row| {
            let cells: Vec<_> = row.iter().zip(&widths).enumerate().map(pad).collect();
            [first, &cells.join(between), last].concat()
        });
        let heading = lines.next().unwrap_or_default();
        let rule = if is_markdown { rule(&widths) } else { String::new() };
        let body: String = lines.collect();
        format!("{mark}{title}\n\n{heading}{rule}{body}")
    }

    fn width(&self, column: usize) -> usize {
        self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    }
}

/// What Markdown wants between heading and rows.
fn rule(widths: &[usize]) -> String {
    let cells = widths.iter().enumerate().map(|(column, width)| {
        let end = if is_number(column) { ":" } else { "-" };
        format!("{}{end}|", "-".repeat(width + 1))
    });
    format!("|{}\n", cells.collect::<String>())
}

fn pad((column, (cell, width)): (usize, (&String, &usize))) -> String {
    if is_number(column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
}

fn is_number(column: usize) -> bool {
    column >= 2
}
