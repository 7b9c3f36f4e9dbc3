//! What is made of metrics, against those that there are: the document, the dashboard, the alerts.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]
#![allow(clippy::disallowed_methods, reason = "tests run programs")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::{self, Command};
use std::{env, fs, panic};

use nfdhcpd::metrics::{Family, Kind, Snapshot, families, render};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../docs/metrics.md");
const DASHBOARD: &str = include_str!("../packaging/grafana/nfdhcpd.json");
const ALERTS: &str = include_str!("../packaging/prometheus/nfdhcpd-alerts.yml");
const ALERTS_TEST: &str = include_str!("../packaging/prometheus/nfdhcpd-alerts-test.yml");

/// From its package, which is not installed: tests/install-tools.sh puts it there.
const PROMTOOL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/bin/promtool");

#[test]
fn every_metric_is_explained() {
    for Family { name, kind, labels, .. } in families() {
        let labels: String = labels.iter().map(|label| format!("`{label}` ")).collect();
        let row = format!("| `{name}` | {} | {labels}|", kind.name());
        assert!(DOCUMENT.lines().any(|line| line.starts_with(&row)), "{row}");
    }
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| `nfdhcpd_") || line.starts_with("| `process_"));
    assert_eq!(rows.count(), families().len());
}

#[test]
fn every_metric_has_a_type_and_a_meaning() {
    let text = render(Snapshot::default());
    for Family { name, kind, help, .. } in families() {
        assert!(text.contains(&format!("# HELP {name} {help}\n# TYPE {name} {}\n", kind.name())), "{name} in\n{text}");
        assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
    }
}

#[test]
fn every_alert_is_explained_and_tried() {
    let alerts = ALERTS.lines().filter_map(|line| line.trim_start().strip_prefix("- alert: "));
    let mut severity = ALERTS.lines().filter_map(|line| line.trim_start().strip_prefix("severity: "));
    for alert in alerts {
        let row = format!("| `{alert}` | {} |", severity.next().unwrap());
        assert!(DOCUMENT.contains(&row), "{row}");
        assert!(ALERTS_TEST.contains(&format!("alertname=\"{alert}\"")), "{alert}");
    }
}

#[test]
fn alerts_ask_for_metrics_that_there_are() {
    assert_known(ALERTS);
    assert_known(ALERTS_TEST);
}

/// Of a data source that is chosen, on the chosen nodes.
#[test]
fn dashboard_asks_for_metrics_that_there_are() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let names: Vec<_> = variables.iter().map(|variable| [&variable["name"], &variable["type"]]).collect();
    assert_eq!(names, [["datasource", "datasource"], ["instance", "query"]]);
    for panel in dashboard["panels"].as_array().unwrap() {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{panel}");
    }
    let mut asked = BTreeSet::new();
    for expression in expressions(&dashboard) {
        assert!(expression.contains("instance=~\"$instance\""), "{expression}");
        asked.extend(assert_known(expression));
    }
    let all: BTreeSet<&str> = families().iter().map(|family| family.name).collect();
    assert_eq!(asked, all, "every metric is shown");
}

#[test]
fn promtool_finds_nothing_wrong_with_alerts() {
    promtool(&["check", "rules", "packaging/prometheus/nfdhcpd-alerts.yml"]);
    promtool(&["check", "config", "packaging/prometheus/scrape-nfdhcpd.yml"]);
    promtool(&["test", "rules", "packaging/prometheus/nfdhcpd-alerts-test.yml"]);
}

/// With values in the place of the dashboard's variables, each expression is a rule that promtool takes.
#[test]
fn promtool_understands_the_dashboard() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut rules = "groups:\n  - name: dashboard\n    rules:\n".to_owned();
    for (number, expression) in expressions(&dashboard).enumerate() {
        let expression =
            expression.replace("$__rate_interval", "5m").replace("$__range", "1h").replace("$instance", ".*");
        writeln!(rules, "      - record: panel:{number}\n        expr: '{expression}'").unwrap();
    }
    let path = env::temp_dir().join(format!("nfdhcpd-dashboard-{}.yml", process::id()));
    fs::write(&path, rules).unwrap();
    let judged = panic::catch_unwind(|| promtool(&["check", "rules", path.to_str().unwrap()]));
    fs::remove_file(&path).unwrap();
    judged.unwrap();
}

/// What the panels of a dashboard ask for.
fn expressions(dashboard: &Value) -> impl Iterator<Item = &str> {
    let panels = dashboard["panels"].as_array().unwrap().iter();
    panels.flat_map(|panel| panel["targets"].as_array().unwrap()).map(|target| target["expr"].as_str().unwrap())
}

/// The metrics that a text names, each of which there is, with the suffixes that its type has.
#[track_caller]
fn assert_known(text: &str) -> BTreeSet<&'static str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let named = words.filter(|word| word.starts_with("nfdhcpd_") || word.starts_with("process_"));
    named.map(|word| known(word).unwrap_or_else(|| panic!("there is no metric {word}"))).collect()
}

fn known(word: &str) -> Option<&'static str> {
    let is_it = |family: &&Family| match family.kind {
        Kind::Histogram => {
            word.strip_prefix(family.name).is_some_and(|suffix| ["", "_bucket", "_count", "_sum"].contains(&suffix))
        }
        _ => family.name == word,
    };
    families().iter().find(is_it).map(|family| family.name)
}

/// Runs promtool, which has to succeed. Where it is not there, that is a failure only if NFDHCPD_STRICT says so.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
#[track_caller]
fn promtool(arguments: &[&str]) {
    match Command::new(PROMTOOL).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output() {
        Ok(output) => assert!(output.status.success(), "{arguments:?}: {output:?}"),
        Err(_) if env::var("NFDHCPD_STRICT").as_deref() != Ok("1") => {
            println!("skipped: promtool is not there (tests/install-tools.sh does that)")
        }
        Err(error) => panic!("{PROMTOOL}: {error}"),
    }
}
