//! What a guest can be told for the asking, kept small and ready to be copied into replies.

use super::options::{Prepared, Scope};
use crate::wire::dhcpv6::{Encoder, NoRoom, encode_option};

/// The options of one guest, made with the binding. Where each comes from is forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Menu {
    entries: Box<[Entry]>,
    /// All options as they stand in a message, one behind the other.
    encoded: Box<[u8]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    code: u16,
    scope: Scope,
    is_usual: bool,
    /// Where the option ends among the encoded ones.
    end: u32,
}

impl Menu {
    /// The menu of a guest for whom these options were prepared.
    pub(super) fn new(prepared: &[Prepared]) -> Self {
        let mut encoded = Vec::new();
        let entries = prepared.iter().map(|option| {
            encode_option(&mut encoded, option.code, &option.data);
            let Prepared { code, scope, is_usual, .. } = *option;
            Entry { code, scope, is_usual, end: encoded.len() as u32 }
        });
        Self { entries: entries.collect(), encoded: encoded.into() }
    }

    /// The length of all options of this scope, in bytes.
    pub(super) fn len(&self, scope: Scope) -> usize {
        self.all(scope).map(|(_, option)| option.len()).sum()
    }

    /// RFC 8415 §18.3 and §21.7: what the client asks for and we have, in the client's order.
    pub(super) fn put_requested(
        &self,
        scope: Scope,
        codes: impl Iterator<Item = u16>,
        reply: &mut Encoder<'_>,
    ) -> Result<(), NoRoom> {
        for code in codes {
            let mut asked = self.all(scope).filter(|(entry, _)| entry.code == code);
            // RFC 8415 §21: an option comes once, however often it is asked for; only of 56 there is one per server.
            if let Some((_, first)) = asked.next().filter(|_| !reply.contains(code)) {
                reply.encoded(first)?;
                asked.try_for_each(|(_, option)| reply.encoded(option))?;
            }
        }
        Ok(())
    }

    /// A client without an option request says nothing of what it can use: it gets all that is of use to most.
    pub(super) fn put_usual(&self, scope: Scope, reply: &mut Encoder<'_>) -> Result<(), NoRoom> {
        let mut usual = self.all(scope).filter(|(entry, _)| entry.is_usual);
        usual.try_for_each(|(_, option)| reply.encoded(option))
    }

    /// Every option of this scope.
    fn all(&self, scope: Scope) -> impl Iterator<Item = (&Entry, &[u8])> {
        let mut start = 0;
        let options = self.entries.iter().map(move |entry| {
            let option = self.encoded.get(start..entry.end as usize);
            start = entry.end as usize;
            (entry, option.unwrap_or_default())
        });
        options.filter(move |(entry, _)| entry.scope.covers(scope))
    }
}
