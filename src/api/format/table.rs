//! Text tables with aligned columns. On a screen, they are cut to its width.

use std::fmt::Write as _;

/// The narrowest column, in characters, that a table on a screen is cut to.
const NARROWEST: usize = 8;

/// Returns the rows with their cells aligned. `width`: the screen's width in columns.
pub fn aligned<C: AsRef<str>>(rows: &[impl AsRef<[C]>], width: Option<usize>) -> String {
    let rows = || rows.iter().map(|row| row.as_ref());
    let count = rows().map(<[C]>::len).max().unwrap_or(0);
    let lengths = |at: usize| rows().filter_map(move |row| row.get(at)).map(|cell| cell.as_ref().chars().count());
    let longest = |at: usize| lengths(at).max().unwrap_or(0);
    let mut widths: Vec<usize> = (0..count).map(longest).collect();
    if let Some(width) = width {
        // shrinks the widest column first
        while widths.iter().sum::<usize>() + 2 * count.saturating_sub(1) > width {
            match widths.iter_mut().max() {
                Some(widest) if *widest > NARROWEST => *widest -= 1,
                _ => break,
            }
        }
    }
    let mut out = String::new();
    for row in rows() {
        let mut line = String::new();
        for (at, cell) in row.iter().map(AsRef::as_ref).enumerate() {
            let length = cell.chars().count();
            if length > widths[at] {
                line.extend(cell.chars().take(widths[at] - 1));
                line.push('…');
            } else {
                line.push_str(cell);
            }
            if at + 1 < row.len() {
                let _ = write!(line, "{:1$}", "", widths[at].saturating_sub(length) + 2);
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
