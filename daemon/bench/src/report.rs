//! Figures as text for a person and as JSON for a comparison. Must not know how they were measured.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::elsewhere;
use crate::figure::Figures;
use crate::machine::Machine;
use crate::spread::Spread;
use crate::targets::verdicts;

/// Everything, as tables.
pub fn text(machine: &Machine, figures: &Figures) -> String {
    let mut text = format!(
        "\n{}, {} cores, {}, Linux {}, {}, GStreamer {}\n\n",
        machine.cpu, machine.cores, machine.architecture, machine.kernel, machine.system, machine.gstreamer
    );
    let mut rows = vec![["", "min", "median", "p95", "max", "n", ""].map(str::to_owned).to_vec()];
    rows.extend(figures.figures.iter().map(|figure| {
        let Spread { n, min, median, p95, max } = figure.spread;
        let [min, median, p95, max] = [min, median, p95, max].map(number);
        vec![figure.title.clone(), min, median, p95, max, n.to_string(), figure.unit.to_owned()]
    }));
    table(&mut text, &rows);
    for note in &figures.notes {
        let _ = writeln!(text, "{note}");
    }

    text.push_str("\nBeside others, measured elsewhere on the same kind of machine, without an encoder; ours makes and encodes the picture\n");
    let mut rows = vec![["", "porthole"].into_iter().chain(elsewhere::NAMES).map(str::to_owned).collect()];
    rows.extend(elsewhere::ROWS.iter().map(|row| {
        let ours = fill(row.ours, figures);
        [row.title.to_owned(), ours].into_iter().chain(row.theirs.map(str::to_owned)).collect()
    }));
    table(&mut text, &rows);

    text.push_str("\nTargets\n");
    let rows: Vec<Vec<String>> = verdicts(figures)
        .into_iter()
        .map(|verdict| {
            let word = match verdict.reached {
                Some(true) => "reached",
                Some(false) => "NOT reached",
                None => "not measured",
            };
            vec![verdict.target.to_owned(), verdict.measured.map_or("–".into(), number), word.to_owned()]
        })
        .collect();
    table(&mut text, &rows);
    text
}

/// Writes `bench-SECONDS.json` into `folder` and returns its path.
pub fn write_json(folder: &Path, machine: &Machine, figures: &Figures) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let others: Vec<_> =
        elsewhere::ROWS.iter().map(|row| json!({"title": row.title, "theirs": row.theirs})).collect();
    let all = json!({
        "machine": machine,
        "figures": figures.figures,
        "notes": figures.notes,
        "targets": verdicts(figures),
        "measured_elsewhere": {"names": elsewhere::NAMES, "rows": others},
    });
    let path = folder.join(format!("bench-{}.json", machine.when));
    fs::write(&path, serde_json::to_string_pretty(&all)?)?;
    Ok(path)
}

/// Puts medians (or `:max`) in the place of `{id}`; a dash for what was not measured.
fn fill(template: &str, figures: &Figures) -> String {
    let mut parts = template.split('{');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        let (id, largest) = name.split_once(':').map_or((name, false), |(id, _)| (id, true));
        let value = figures.find(id).map(|spread| if largest { spread.max } else { spread.median });
        text.push_str(&value.map_or("–".into(), number));
        text.push_str(rest);
    }
    text
}

/// Three digits or so.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || (size - size.round()).abs() < 1e-9 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Columns as wide as their widest cell, the first to the left and all others to the right.
fn table(text: &mut String, rows: &[Vec<String>]) {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            let width = width(column);
            let _ =
                if column == 0 { write!(text, "{cell:<width$}") } else { write!(text, "  {cell:>width$}") };
        }
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_filled_in_beside_theirs_and_what_is_missing_is_a_dash() {
        let mut figures = Figures::default();
        figures.add("a", "", "ms", vec![1.0, 2.0, 30.5]);
        assert_eq!(fill("{a} / {a:max} / {b} ms", &figures), "2 / 30.5 / – ms");
    }

    #[test]
    fn every_row_beside_others_names_figures_only() {
        for row in elsewhere::ROWS {
            assert!(row.ours.contains('{'), "{}", row.title);
            assert_eq!(row.ours.matches('{').count(), row.ours.matches('}').count(), "{}", row.title);
        }
    }

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        let mut text = String::new();
        table(&mut text, &[vec!["offer → a".into(), "1".into()], vec!["b".into(), "200".into()]]);
        assert_eq!(text, "offer → a    1\nb          200\n");
    }
}
