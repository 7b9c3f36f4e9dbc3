//! The units of `packaging` under the real systemd: what a package installs, started, reloaded, hung, and stopped.

use std::fs;

use dhcproto::v4::MessageType;

use crate::harness::inside::need;
use crate::harness::requests::discover;
use crate::harness::{Config, Guest, Lab, Systemd, queues, sh, soon, tests};

tests!(systemd:
    is_ready_when_its_bindings_are_and_serves,
    is_measured,
    reload_lasts_until_the_daemon_has_reloaded,
    starts_anew_what_hangs_and_loses_no_packet,
    journal_knows_priorities,
    writes_json_where_it_is_told_to,
    takes_over_the_log_of_an_older_installation,
    log_files_are_rotated,
    says_what_it_may_not_read,
    says_what_to_do_about_a_group_that_is_not_its_own,
    starts_as_root_where_a_drop_in_says_so,
    clean_removes_what_vanished_taps_have_left,
);

/// As the package has it: everything where the unit's user may have it.
fn installed() -> Config {
    Config::default()
        .with("general", "datapath", "/var/lib/nfdhcpd")
        .with("general", "pidfile", "/run/nfdhcpd/nfdhcpd.pid")
        .with("general", "logdir", "/var/log/nfdhcpd")
}

/// A systemd that runs the daemon with this configuration.
#[track_caller]
fn start(lab: &Lab, config: &Config) -> Systemd {
    let systemd = Systemd::boot();
    lab.divert("-i tap+");
    systemd.configure(config);
    systemd.sh("systemctl start nfdhcpd");
    systemd
}

/// How many bindings there are besides the guest's.
const OTHERS: u32 = 500;

fn is_ready_when_its_bindings_are_and_serves(lab: &mut Lab) {
    let guest = lab.guest(1);
    for number in 0..OTHERS {
        let text = guest
            .binding4()
            .replace(&guest.mac_text(), &format!("aa:00:00:01:{:02x}:{:02x}", number >> 8, number & 255));
        fs::write(format!("/run/lab/bindings/other{number}"), text).unwrap();
    }
    let systemd = start(lab, &installed());
    let shown = systemd.sh("nfdhcpd show");
    assert!(shown.contains(&format!("1 serving, {OTHERS} pending, 0 rejected")), "{shown}");
    let expected = if systemd.version() < 253 { "notify" } else { "notify-reload" };
    assert_eq!(systemd.property("Type"), expected);
    assert_eq!(systemd.property("NFileDescriptorStore"), "4");
    guest.udhcpc("-q -n").wait();
    assert!(guest.udhcpc_lease().contains("\nlease=3600\n"), "{}", guest.udhcpc_lease());

    let seen = systemd
        .sh("cat /run/nfdhcpd/nfdhcpd.pid; stat -c '%U %A' /run/nfdhcpd/control.sock /var/log/nfdhcpd/nfdhcpd.log");
    assert_eq!(seen, format!("{}\nnfdhcpd srw-------\nnfdhcpd -rw-r-----\n", systemd.property("MainPID")));
    let log = systemd.sh("cat /var/log/nfdhcpd/nfdhcpd.log");
    assert!(log.contains("Z  INFO ready "), "{log}");
    assert_confined(&systemd);

    systemd.sh("systemctl stop nfdhcpd; ! test -e /run/nfdhcpd");
    assert_eq!(systemd.property("Result"), "success");
    soon("the end of the queues", || queues::bound().is_empty().then_some(()));
}

/// By a port and by a socket; also what only root may read.
fn is_measured(lab: &mut Lab) {
    let scrape = |where_to: &str| format!(r#"{where_to}; printf "GET /metrics HTTP/1.0\r\n\r\n" >&3; cat <&3"#);
    let systemd = start(lab, &installed().with("general", "metrics_listen", "127.0.0.1:9547"));
    let metrics = systemd.sh(&format!("bash -c '{}'", scrape("exec 3<>/dev/tcp/127.0.0.1/9547")));
    assert!(metrics.contains("nfdhcpd_queue_waiting_packets{queue=\"42\"} 0"), "{metrics}");
    assert_confined(&systemd);
    systemd.configure(&installed().with("general", "metrics_listen", "/run/nfdhcpd/metrics.sock"));
    systemd.sh("systemctl restart nfdhcpd");
    assert_eq!(systemd.sh("stat -c '%U %A' /run/nfdhcpd/metrics.sock"), "nfdhcpd srw-------\n");
    assert_eq!(systemd.journal("--priority=warning"), "");
}

/// Nothing of root, and two capabilities.
#[track_caller]
fn assert_confined(systemd: &Systemd) {
    let status = systemd.sh("cat /proc/$(systemctl show --value --property=MainPID nfdhcpd)/task/*/status");
    let user = systemd.sh("id -u nfdhcpd");
    let all = |field: &str, expected: &str| {
        let mut values = status.lines().filter_map(|line| line.strip_prefix(&format!("{field}:")));
        let is_expected = |value: &str| value.split_whitespace().all(|word| word == expected);
        assert!(values.clone().count() > 2 && values.all(is_expected), "{field}: {expected}?\n{status}");
    };
    all("Uid", user.trim());
    for (field, expected) in [
        ("CapPrm", "0000000000003000"),
        ("CapEff", "0000000000003000"),
        ("CapInh", "0000000000000000"),
        ("CapAmb", "0000000000000000"),
        ("NoNewPrivs", "1"),
        ("Seccomp", "2"),
    ] {
        all(field, expected);
    }
}

/// Which of the two configurations is in force is in the status, and that is said with the daemon's last word.
fn reload_lasts_until_the_daemon_has_reloaded(lab: &mut Lab) {
    let systemd = start(lab, &installed());
    let wrong = installed().with("dhcp", "lease_lifetime", "a while");
    let remark = "; the configuration file has errors and is not in force";
    for _ in 0..10 {
        for (config, remark) in [(&wrong, remark), (&installed(), "")] {
            systemd.configure(config);
            let status = systemd.sh("systemctl reload nfdhcpd; systemctl show --value --property=StatusText nfdhcpd");
            assert_eq!(status.trim(), format!("queues 42, 43, 44, 45{remark}"));
        }
    }
    systemd.sh("kill -HUP $(systemctl show --value --property=MainPID nfdhcpd); systemctl reload nfdhcpd");
    assert_eq!(systemd.property("SubState"), "running");
    assert_eq!(systemd.property("NRestarts"), "0");
}

fn starts_anew_what_hangs_and_loses_no_packet(lab: &mut Lab) {
    let guest = lab.guest(1);
    let systemd = Systemd::boot();
    systemd.drop_in("soon", "[Service]\nWatchdogSec=2s\n");
    lab.divert("-i tap+");
    systemd.configure(&installed());
    systemd.sh("systemctl start nfdhcpd");
    let told = |since: &str| systemd.property("WatchdogTimestampMonotonic") != since;
    for _ in 0..3 {
        let since = systemd.property("WatchdogTimestampMonotonic");
        soon("a word of the daemon's", || told(&since).then_some(()));
    }
    assert_eq!(systemd.property("NRestarts"), "0");

    systemd.sh("systemctl kill --signal=STOP nfdhcpd");
    guest.send(&(0..20).map(|xid| discover(guest.mac, xid)).collect::<Vec<_>>(), 1);
    soon("another start", || (systemd.property("NRestarts") == "1").then_some(()));
    let offers = || guest.dhcpv4().iter().filter(|it| it.is_answer(MessageType::Offer)).count();
    soon("an offer for each packet", || (offers() == 20).then_some(()));
    systemd.wait_for_journal("queue taken over queue=42");
    soon("a daemon that is ready", || (systemd.property("ActiveState") == "active").then_some(()));
}

fn journal_knows_priorities(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.bind(&guest, "MAC=none\n");
    let systemd = start(lab, &installed());
    let warnings = systemd.journal_with("--priority=warning", "binding rejected");
    assert!(warnings.starts_with(" WARN binding rejected: ") && !warnings.contains("INFO"), "{warnings}");
    systemd.configure(&installed().with("dhcp", "server_ip", "192.0.2"));
    systemd.sh("systemctl reload nfdhcpd");
    systemd.journal_with("--priority=err", "ERROR the configuration stays as it was");
    systemd.try_sh("systemctl restart nfdhcpd").unwrap_err();
    soon("the last error", || {
        systemd.journal("--priority=err").lines().last()?.contains("dhcp.server_ip").then_some(())
    });
    // What is wrong would be wrong again.
    assert_eq!((&*systemd.property("ActiveState"), &*systemd.property("ExecMainStatus")), ("failed", "2"));
}

fn writes_json_where_it_is_told_to(lab: &mut Lab) {
    let guest = lab.guest(1);
    lab.bind(&guest, "MAC=\"\u{1b}[31m\n");
    let systemd = start(lab, &installed().with("general", "log_format", "json"));
    systemd.wait_for_journal(r#""message":"ready","queues":"42, 43, 44, 45","#);
    let warnings = systemd.journal_with("--priority=warning", "binding rejected");
    let file = systemd.sh("cat /var/log/nfdhcpd/nfdhcpd.log");
    for line in warnings.lines().chain(file.lines()) {
        let object: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(object["timestamp"].is_string() && object["level"].is_string(), "{line}");
    }
}

/// Whoever the daemon ran as before.
fn takes_over_the_log_of_an_older_installation(lab: &mut Lab) {
    let systemd = Systemd::boot();
    systemd.configure(&installed());
    systemd.sh("mkdir /var/log/nfdhcpd; echo before >/var/log/nfdhcpd/nfdhcpd.log; chown -R nobody /var/log/nfdhcpd");
    systemd.sh("systemctl start nfdhcpd");
    let read = "stat -c %U /var/log/nfdhcpd /var/log/nfdhcpd/nfdhcpd.log; cat /var/log/nfdhcpd/nfdhcpd.log";
    let log = soon("a line in the file", || Some(systemd.sh(read)).filter(|log| log.contains(" ready ")));
    assert!(log.starts_with("nfdhcpd\nnfdhcpd\nbefore\n"), "{log}");
    drop(systemd);
    lab.finish();
}

/// The companion's file is there as soon as it has done something.
fn log_files_are_rotated(lab: &mut Lab) {
    need("logrotate");
    lab.bind(&Guest::unplugged(2), "MAC=aa:00:00:00:00:02\n");
    let systemd = start(lab, &installed());
    let logs = "cat /var/log/nfdhcpd/nfdhcpd.log";
    soon("a line in the old file", || systemd.sh(logs).contains(" ready ").then_some(()));
    let rotate = "systemctl start snf-network-clean.service
        logrotate --verbose --force --state /run/lab/logrotate /run/lab/package/logrotate/nfdhcpd 2>&1";
    let said = systemd.sh(rotate);
    assert!(!said.contains("error"), "{said}");
    systemd.sh("systemctl reload nfdhcpd");
    soon("a line in the new file", || systemd.sh(logs).contains("configuration reloaded").then_some(()));
    assert!(!systemd.sh(logs).contains(" ready "));
    assert!(systemd.sh("cat /var/log/nfdhcpd/nfdhcpd.log.1").contains(" ready "));
    let owners = systemd.sh("stat -c '%U %A' /var/log/nfdhcpd/nfdhcpd.log /var/log/snf-network.log");
    assert_eq!(owners, "nfdhcpd -rw-r-----\nroot -rw-r-----\n");
    let rotated = systemd.sh("zcat /var/log/snf-network.log.1.gz");
    assert!(rotated.contains("tap2"), "{rotated}");
}

fn says_what_it_may_not_read(lab: &mut Lab) {
    let guest = lab.guest(1);
    let systemd = Systemd::boot();
    lab.divert("-i tap+");
    let config =
        installed().with("general", "logdir", "/var/log/elsewhere").with("general", "pidfile", "/run/nfdhcpd.pid");
    systemd.configure(&config);
    sh(&format!("chmod 600 /etc/nfdhcpd/nfdhcpd.conf {}", lab.binding_path(&guest)));
    systemd.sh("systemctl start nfdhcpd");
    for words in [
        "SIGHUP will not be able to read the configuration as this user: Permission denied",
        "cannot be read: Permission denied",
        "no log file: ",
        "pidfile: ",
    ] {
        systemd.journal_with("--priority=warning", words);
    }
}

fn says_what_to_do_about_a_group_that_is_not_its_own(lab: &mut Lab) {
    let systemd = start(lab, &installed().with("general", "control_group", "adm"));
    let warnings = systemd.journal_with("--priority=warning", "no control socket: ");
    assert!(warnings.contains("SupplementaryGroups="), "{warnings}");
    systemd.drop_in("group", "[Service]\nSupplementaryGroups=adm\n");
    systemd.sh("systemctl restart nfdhcpd");
    assert_eq!(systemd.sh("stat -c '%U %G %A' /run/nfdhcpd/control.sock"), "nfdhcpd adm srw-rw----\n");
    systemd.configure(&installed().with("general", "control_group", "nfdhcpd"));
    systemd.sh("systemctl restart nfdhcpd");
    assert_eq!(systemd.sh("stat -c '%U %G %A' /run/nfdhcpd/control.sock"), "nfdhcpd nfdhcpd srw-rw----\n");
}

fn starts_as_root_where_a_drop_in_says_so(lab: &mut Lab) {
    let guest = lab.guest(1);
    let systemd = Systemd::boot();
    lab.divert("-i tap+");
    let config = installed().with("general", "user", "nobody").with("general", "control_group", "adm");
    systemd.configure(&config.with("general", "pidfile", "/run/nfdhcpd.pid"));
    systemd.drop_in("start-as-root", include_str!("../../packaging/examples/systemd/start-as-root.conf"));
    systemd.sh("systemctl start nfdhcpd; systemctl reload nfdhcpd");
    let seen = systemd.sh("stat -c '%U %G' /run/nfdhcpd/control.sock /run/nfdhcpd.pid /var/log/nfdhcpd/nfdhcpd.log");
    let group = systemd.sh("id -gn nobody");
    assert_eq!(seen, format!("root adm\nroot root\nnobody {group}"));
    let user = systemd.sh("stat -c %U /proc/$(systemctl show --value --property=MainPID nfdhcpd)/task");
    assert_eq!(user, "nobody\n");
    assert_eq!(systemd.journal("--priority=warning"), "");
    guest.udhcpc("-q -n").wait();
    assert!(guest.udhcpc_lease().contains("\nlease=3600\n"), "{}", guest.udhcpc_lease());
}

fn clean_removes_what_vanished_taps_have_left(lab: &mut Lab) {
    let guest = lab.guest(1);
    let gone = Guest::unplugged(2);
    lab.bind(&gone, &gone.binding());
    let systemd = Systemd::boot();
    systemd.sh("systemctl start snf-network-clean.service");
    assert_eq!(sh("ls /run/lab/bindings"), format!("{}\n", guest.tap));
    assert_eq!(systemd.sh("stat -c '%U %A' /var/lib/snf-network"), "root drwx------\n");
    let log = systemd.sh("cat /var/log/snf-network.log");
    assert!(log.contains(&gone.tap), "{log}");
    systemd.sh("systemctl start snf-network-clean.timer");
    let timer = systemd.sh("systemctl list-timers --all");
    assert!(timer.contains("snf-network-clean.service"), "{timer}");
}
