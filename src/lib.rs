//! `nfdhcpd` gives virtual machines their network configuration on the node they run on.
//!
//! Netfilter diverts what a guest asks (DHCP, Router Solicitation, Neighbor Solicitation, DHCPv6) from its tap into
//! NFQUEUEs. The daemon finds the guest's binding by that tap, builds the reply and sends it out of the tap again.
//!
//! ```text
//! NFQUEUE ──► io::nfqueue ──► Ingress ─────────────┐
//! inotify ──► io::watch ──► text ► binding::parse ─┤ Event
//! rtnetlink ► io::links ──► Event ─────────────────┤
//! clock ─────────────────────────────► now ────────┤
//!                                                  ▼
//!      Engine::handle_packet(now, &Ingress, &mut buf) -> Outcome     ← pure: no sockets, files, clocks, threads
//!      Engine::handle_event(now, Event)
//!      Engine::poll_timeout() · handle_timeout(now) · poll_transmit(now, &mut buf) · poll_notice()
//!                                                  │
//! verdict ◄── io::nfqueue ◄─── Outcome ◄───────────┤
//! frame   ◄── io::packet_socket ◄── Transmit ◄─────┘
//! replay: pcap ──► the same handle_packet ──► pcap
//! ```
//!
//! [`network`] is the second program of the package, `snf-network`: what the node does when a NIC comes and goes, and who writes
//! the bindings on Ganeti nodes. It has a picture of its own.
//!
//! [`wire`], [`setting`], [`binding`], [`config`], [`engine`], [`control`], [`metrics`], [`queue_list`], [`rules`] and [`network`]
//! take bytes, text, time and randomness as arguments. [`io`] holds sockets and files and decides nothing. [`daemon`] wires the
//! two together; [`cli`] is one file per subcommand.

pub mod binding;
pub mod cli;
pub mod config;
pub mod control;
pub mod daemon;
pub mod engine;
pub mod io;
pub mod metrics;
pub mod network;
pub mod queue_list;
pub mod rules;
pub mod setting;
mod text;
pub mod wire;
