//! Measured figures by id, in the order in which they were measured. Must not know how they are shown.

use serde::Serialize;

use crate::spread::Spread;

/// One measured thing.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// Stable name, for comparing one run of the bench with another.
    pub id: String,
    /// What it is, for a person.
    pub title: String,
    pub unit: &'static str,
    #[serde(flatten)]
    pub spread: Spread,
    /// Every run.
    pub runs: Vec<f64>,
}

/// All of them, and what there is to say about how they came about.
#[derive(Debug, Default, Serialize)]
pub struct Figures {
    pub figures: Vec<Figure>,
    pub notes: Vec<String>,
}

impl Figures {
    /// Adds a figure. One without runs is not added.
    pub fn add(
        &mut self,
        id: impl Into<String>,
        title: impl Into<String>,
        unit: &'static str,
        runs: Vec<f64>,
    ) {
        if let Some(spread) = Spread::of(&runs) {
            self.figures.push(Figure { id: id.into(), title: title.into(), unit, spread, runs });
        }
    }

    /// Adds a remark.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// The figure of this id, if it was measured.
    pub fn find(&self, id: &str) -> Option<Spread> {
        self.figures.iter().find(|figure| figure.id == id).map(|figure| figure.spread)
    }
}
