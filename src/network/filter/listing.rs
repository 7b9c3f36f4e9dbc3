//! What nft says of our tables, in its JSON (libnftables-json(5)).
//!
//! Read by a few small types rather than by a model of all that nft can say (the crate `nftables`): what somebody else put
//! into a table of ours, or a later nft says differently, must not keep the rest from being read.

use std::slice;

use serde::Deserialize;
use serde_json::{Deserializer, Map, Value};

use super::Observed;
use super::element::Element;
use super::entry::{Listed, Set};
use super::layout::{TABLE, TableFamily};

/// What nft is given to tell which tables there are: the argument of [`list_ours`].
pub const LIST_TABLES: &str = "list tables";

/// The text is no listing.
#[derive(Debug, thiserror::Error)]
#[error("cannot read what nft lists: {0}")]
pub struct ListingError(#[from] serde_json::Error);

/// What nft is to be given to list our tables, when this is what `nft --json` said to [`LIST_TABLES`]: it fails for tables
/// that are not there. Each is for a call of its own, since nft 1.0.6 finds but one table where it is asked for several.
///
/// # Errors
/// The text is no listing.
pub fn list_ours(tables: &str) -> Result<Vec<String>, ListingError> {
    let items = items(tables)?;
    let ours = items.iter().filter(|(kind, item)| kind == "table" && item.name == TABLE);
    let families = ours.filter_map(|(_, item)| TableFamily::named(&item.family));
    Ok(families.map(|family| format!("list table {family} {TABLE}")).collect())
}

impl Observed {
    /// Reads what nft said to the commands of [`list_ours`], one behind the other. Of how bridged packets are judged it
    /// says nothing.
    ///
    /// # Errors
    /// The text is no listing. What is in one and is not ours is left out.
    pub fn read(listings: &str) -> Result<Self, ListingError> {
        let mut observed = Self::default();
        for (kind, item) in items(listings)? {
            if let Some(family) = TableFamily::named(&item.family) {
                observed.take(family, &kind, item);
            }
        }
        Ok(observed)
    }

    fn take(&mut self, family: TableFamily, kind: &str, item: Item) {
        match kind {
            "table" if item.name == TABLE => self.tables.entry(family).or_default().handle = item.handle,
            "rule" if item.table == TABLE => {
                self.tables.entry(family).or_default().chains.insert(item.chain, item.comment);
            }
            "set" | "map" if item.table == TABLE => {
                let set = Set::named(family, &item.name);
                self.elements.extend(set.into_iter().flat_map(|set| elements(set, &item.elem)));
            }
            _ => {}
        }
    }
}

/// What a listing has: a list of objects, each with one member, that is named after what it is.
#[derive(Deserialize)]
struct Listing {
    nftables: Vec<Map<String, Value>>,
}

/// A table, a set, a map, a rule: as much as matters of any of them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    family: String,
    name: String,
    handle: u64,
    table: String,
    chain: String,
    comment: String,
    elem: Vec<Value>,
}

/// Everything in some listings, with what it is. What is of another form is none of ours.
fn items(listings: &str) -> Result<Vec<(String, Item)>, ListingError> {
    let listings: Vec<Listing> = Deserializer::from_str(listings).into_iter().collect::<Result<_, _>>()?;
    let members = listings.into_iter().flat_map(|listing| listing.nftables).flatten();
    Ok(members.filter_map(|(kind, value)| Some((kind, Item::deserialize(value).ok()?))).collect())
}

fn elements(set: Set, values: &[Value]) -> impl Iterator<Item = Element> {
    values.iter().filter_map(move |value| listed(value)?.element(set))
}

/// An element: of a set its key, of a map its key and what the map has for it.
fn listed(value: &Value) -> Option<Listed<'_>> {
    match value.as_array().map(Vec::as_slice) {
        None => listed_key(value, None),
        Some([key, data]) => listed_key(key, Some(chain_or_value(data)?)),
        Some(_) => None,
    }
}

/// A key is wrapped into an object where there is more to say of it.
fn listed_key<'a>(key: &'a Value, data: Option<&'a str>) -> Option<Listed<'a>> {
    let comment = key.pointer("/elem/comment").and_then(Value::as_str);
    let key = key.pointer("/elem/val").unwrap_or(key);
    let parts = key.get("concat").and_then(Value::as_array).map_or(slice::from_ref(key), Vec::as_slice);
    Some(Listed { key: parts.iter().map(text).collect::<Option<_>>()?, comment, data })
}

fn text(value: &Value) -> Option<String> {
    match value.get("range").and_then(Value::as_array).map(Vec::as_slice) {
        Some([first, last]) => Some(format!("{}-{}", first.as_str()?, last.as_str()?)),
        _ => value.as_str().map(str::to_owned),
    }
}

fn chain_or_value(data: &Value) -> Option<&str> {
    data.pointer("/goto/target").unwrap_or(data).as_str()
}
