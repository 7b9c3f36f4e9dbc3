//! From what is there to what should be, at once.

use std::collections::BTreeSet;
use std::fmt;

use super::Observed;
use super::element::Element;
use super::entry::{Entry, is_expressible};
use super::layout::{Part, TABLE, Table, TableFamily};
use crate::binding::InterfaceName;

/// Text for `nft -f`: all of it happens, or nothing. It is refused if somebody has changed what it was made for: then look
/// again, and make another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction(String);

impl fmt::Display for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// nft has no words for the name of an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nft cannot be told of an interface called {0:?}: a quote, or a star at the end, means something else to it")]
pub struct InexpressibleName(pub InterfaceName);

/// Makes a tap's elements those that are wanted, and takes their keys from other taps. None if nothing differs.
///
/// # Errors
/// An interface has a name that nft cannot be told.
pub fn transaction(
    observed: &Observed,
    tap: InterfaceName,
    wanted: &BTreeSet<Element>,
) -> Result<Option<Transaction>, InexpressibleName> {
    if let Some(name) = wanted.iter().flat_map(Element::names).find(|name| !is_expressible(*name)) {
        return Err(InexpressibleName(name));
    }
    let come: BTreeSet<_> = wanted.difference(&observed.elements).copied().collect();
    let keys: Vec<_> = come.iter().map(|element| Entry::from(element).place()).collect();
    let is_in_the_way = |element: &Element| keys.contains(&Entry::from(element).place());
    let is_gone = |element: &&Element| !wanted.contains(element) && (element.tap() == tap || is_in_the_way(element));
    let gone = observed.elements.iter().filter(is_gone).copied().collect();
    Ok(Difference { observed, wanted, gone, come }.transaction())
}

/// Takes away all elements of some taps. None if there are none.
pub fn removal(observed: &Observed, taps: &BTreeSet<InterfaceName>) -> Option<Transaction> {
    let gone = observed.elements.iter().filter(|element| taps.contains(&element.tap())).copied().collect();
    Difference { observed, wanted: &BTreeSet::new(), gone, come: BTreeSet::new() }.transaction()
}

/// What is to change.
struct Difference<'a> {
    observed: &'a Observed,
    /// All that a tap should have.
    wanted: &'a BTreeSet<Element>,
    gone: BTreeSet<Element>,
    come: BTreeSet<Element>,
}

impl Difference<'_> {
    fn transaction(&self) -> Option<Transaction> {
        let text: String = TableFamily::ALL.into_iter().map(|family| self.text(family)).collect();
        (!text.is_empty()).then_some(Transaction(text))
    }

    /// What is to be done in one family. Nothing is said of a family that nobody needs: a kernel may lack it.
    fn text(&self, family: TableFamily) -> String {
        let is_touched =
            !parts(self.wanted, family).is_empty() || self.gone.iter().any(|element| is_of(element, family));
        match self.observed.tables.get(&family) {
            Some(table) if is_touched && table.is_foreign() => self.replacement(family, table),
            table => self.change(family, table),
        }
    }

    fn change(&self, family: TableFamily, table: Option<&Table>) -> String {
        let missing =
            parts(self.wanted, family).into_iter().filter(|part| !table.is_some_and(|table| table.has(*part)));
        let gone = self.gone.iter().filter(|element| is_of(element, family));
        let come = self.come.iter().filter(|element| is_of(element, family));
        let changes =
            gone.map(|element| Entry::from(element).delete()).chain(come.map(|element| Entry::from(element).add()));
        missing.map(Part::text).chain(changes).collect()
    }

    /// Another version's table goes, and all that should be in it comes into one of ours.
    fn replacement(&self, family: TableFamily, table: &Table) -> String {
        let kept: BTreeSet<_> = self.observed.elements.difference(&self.gone).chain(self.wanted).copied().collect();
        let elements = kept.iter().filter(|element| is_of(element, family)).map(|element| Entry::from(element).add());
        let layout = parts(&kept, family).into_iter().map(Part::text);
        [deletion(family, table)].into_iter().chain(layout).chain(elements).collect()
    }
}

/// By its handle it is this very table, or none, if somebody was faster. nft itself forgets what it knows of the old table's sets
/// only when it is told to delete it by its name.
fn deletion(family: TableFamily, table: &Table) -> String {
    let handle = table.handle;
    format!("delete table {family} handle {handle}\nadd table {family} {TABLE}\ndelete table {family} {TABLE}\n")
}

/// What a table has to have for these elements.
fn parts(elements: &BTreeSet<Element>, family: TableFamily) -> BTreeSet<Part> {
    let parts = elements.iter().flat_map(|element| Entry::from(element).set.parts());
    parts.copied().filter(|part| part.family() == family).collect()
}

fn is_of(element: &Element, family: TableFamily) -> bool {
    Entry::from(element).set.family() == family
}
