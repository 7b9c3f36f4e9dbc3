//! What a daemon would say that starts now: the same engine, over the same files and links.

use std::time::Duration;

use crate::binding::InterfaceName;
use crate::binding::parse::Parsed;
use crate::cli::client::Daemon;
use crate::cli::twins::{self, Guest};
use crate::control::Explained;
use crate::engine::{Engine, Event};
use crate::io::links::Links;
use crate::io::watch;

/// When all of it happens.
const NOW: Duration = Duration::ZERO;

/// What is known of a tap without asking anybody, or why nothing is.
pub(super) fn explain(daemon: &Daemon, tap: InterfaceName) -> Result<Explained, String> {
    let config = daemon.read_config().map_err(|error| error.to_string())?;
    let (_, links) = Links::open().map_err(|error| format!("the links cannot be read: {error}"))?;
    let mut engine = Engine::new(config.clone(), 0);
    let binding = watch::read_one(&config.general.datapath, tap).map(|read| match read {
        Ok(Parsed { binding, .. }) => Event::BindingLoaded(Box::new(binding)),
        Err(error) => Event::BindingRejected(tap, error),
    });
    for event in links.into_iter().chain(binding) {
        engine.handle_event(NOW, event);
    }
    let mut explained = Explained::new(NOW, tap, &engine.explain(tap), &config);
    if explained.tap.is_none() {
        explained.datapath_gone = watch::read_all(&config.general.datapath).err().map(|error| error.to_string());
    }
    if let Some(guest) = explained.tap.as_ref().and_then(Guest::of_tap) {
        // Others that cannot be read are not why this guest is answered or not.
        let others = watch::read_all(&config.general.datapath).unwrap_or_default();
        let others = others.iter().flatten().map(|parsed| Guest::from(&parsed.binding));
        explained.doubts.extend(twins::doubts(&guest, others));
    }
    Ok(explained)
}
